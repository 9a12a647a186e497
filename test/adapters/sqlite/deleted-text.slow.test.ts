/** After `gc`, deleted text is in no file of a repository, and the files are shorter. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRepo, openRepo, salvageRepo } from '../../../src/node.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { seeded } from '../../random/seeded.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'pdsdb-deleted-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
const COLLECTION = 'com.example.note';

const create = async (): Promise<{ folder: string; repo: Repo }> => {
  const folder = join(mkdtempSync(join(root, 'r-')), 'repo');
  return { folder, repo: await createRepo(folder, { did: DID }) };
};

const note = (text: string) => ({ $type: COLLECTION, text });

const write = (repo: Repo, from: number, to: number, text: (i: number) => string): Promise<unknown> =>
  repo.write(
    Array.from({ length: to - from }, (_, i) => ({
      action: 'create',
      collection: COLLECTION,
      rkey: `note${from + i}`,
      value: note(text(from + i)),
    })),
  );

/** Returns the names of the files that contain a text. */
const filesWith = (folder: string, text: string): string[] =>
  readdirSync(folder).filter((name) => {
    const path = join(folder, name);
    return statSync(path).isFile() && readFileSync(path).includes(text);
  });

const sizeOf = (folder: string): number => statSync(join(folder, 'pds.db')).size;

test.each(['a short secret', 'a long secret '.repeat(3000)])('a record of %.14s', async (secret) => {
  const { folder, repo } = await create();
  await write(repo, 0, 200, (i) => `note ${i}`);
  await repo.put(COLLECTION, 'secret', note(secret), { message: 'the message of a secret' });
  await write(repo, 200, 400, (i) => `note ${i}`);
  expect(filesWith(folder, 'secret').length).toBeGreaterThan(0);
  await repo.delete(COLLECTION, 'secret');
  await repo.gc();
  // The record key of the secret was a part of the tree.
  expect(filesWith(folder, 'secret')).toEqual([]);
  await repo.close();
  expect(filesWith(folder, 'secret')).toEqual([]);
});

test('most records: the file becomes shorter, by gc and more so by compaction', async () => {
  const { folder, repo } = await create();
  await write(repo, 0, 3000, (i) => `note ${i} `.repeat(20));
  const full = sizeOf(folder) + statSync(join(folder, 'pds.db-wal')).size;
  const half = Array.from({ length: 1500 }, (_, i) => ({
    action: 'delete' as const,
    collection: COLLECTION,
    rkey: `note${2 * i}`,
  }));
  await repo.write(half);
  await repo.gc();
  const collected = sizeOf(folder);
  expect(collected).toBeLessThan(0.95 * full);
  expect(statSync(join(folder, 'pds.db-wal')).size).toBe(0);
  await repo.gc({ compact: true });
  expect(sizeOf(folder)).toBeLessThan(0.75 * collected);
  expect(await repo.info()).toMatchObject({ size: sizeOf(folder), free: 0, records: 1500 });
  expect((await repo.verify()).ok).toBe(true);
  await repo.close();
});

test.each([1, 2, 3, 4])('random writes and deletions; seed %i', async (seed) => {
  const random = seeded(seed);
  const { folder, repo } = await create();
  const kept = new Set<number>();
  const gone: number[] = [];
  let next = 0;
  const mark = (i: number): string => `mark-${String(i).padStart(6, '0')}-`;
  for (let round = 0; round < 12; round++) {
    const count = 20 + Math.floor(random() * 150);
    await write(repo, next, next + count, (i) => mark(i).repeat(1 + Math.floor(random() * (i % 17 === 0 ? 900 : 30))));
    for (let i = next; i < next + count; i++) {
      kept.add(i);
    }
    next += count;
    const removed = [...kept].filter(() => random() < 0.4);
    await repo.write(removed.map((i) => ({ action: 'delete' as const, collection: COLLECTION, rkey: `note${i}` })));
    for (const i of removed) {
      kept.delete(i);
      gone.push(i);
    }
    await repo.gc();
    const bytes = Buffer.concat(['pds.db', 'pds.db-wal'].map((name) => readFileSync(join(folder, name))));
    expect(gone.filter((i) => bytes.includes(mark(i)))).toEqual([]);
  }
  expect((await repo.verify()).ok).toBe(true);
  await repo.close();
});

test('a repository with pointer maps can be salvaged', async () => {
  const { folder, repo } = await create();
  await write(repo, 0, 4000, (i) => `note ${i} `.repeat(60));
  const { blocks } = await repo.info();
  await repo.gc();
  await repo.close();
  // More than one pointer map: the first is page 2, the next one 820 pages on.
  const path = join(folder, 'pds.db');
  expect(sizeOf(folder)).toBeGreaterThan(900 * 4096);
  const bytes = readFileSync(path);
  bytes.fill(0, 0, 4096);
  writeFileSync(path, bytes);
  await expect(openRepo(folder)).rejects.toMatchObject({ code: 'Corrupt' });
  const report = await salvageRepo(folder);
  expect(report).toMatchObject({ did: DID, damagedBlocks: 0 });
  expect(report.blocks).toBe(blocks);
  const again = await openRepo(folder);
  expect(await again.info()).toMatchObject({ records: 4000, blocks });
  expect((await again.verify()).ok).toBe(true);
  await again.close();
});
