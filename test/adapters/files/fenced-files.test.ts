/**
 * An owner that has lost its lock: it was stopped, a person removed the lock file, and another process has opened
 * the repository.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openNodeFiles } from '../../../src/adapters/files/node-files.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { createRepo, openRepo } from '../../../src/node.ts';
import { DID, POST, post, rkeyOf } from '../../../src/testing/repo/harness.ts';
import { scratchFolder } from '../scratch.ts';

const root = scratchFolder('fenced');
const code = (value: string): object => expect.objectContaining({ name: 'RepoError', code: value });
const bytes = new Uint8Array([1, 2, 3]);
let folder: string;

beforeEach(() => {
  folder = join(fs.mkdtempSync(join(root, 'case-')), 'repo');
});

const takeLockAway = (): void => fs.rmSync(join(folder, 'pds.lock'));

describe('files whose lock was removed', () => {
  test.each(['main', 'journal', 'wal'] as const)('accept no more writes: %s', async (slot) => {
    const first = await openNodeFiles(folder, { create: true });
    first.main.write(bytes, { at: 0 });
    takeLockAway();
    const before = first[slot].getSize();
    expect(() => first[slot].write(bytes, { at: 9 })).toThrow(code('Locked') as Error);
    expect(() => first[slot].truncate(0)).toThrow(code('Locked') as Error);
    expect(() => first[slot].flush()).toThrow(code('Locked') as Error);
    expect(first[slot].getSize()).toBe(before);
    await first.close();
  });

  test('close without changing the files of the next owner', async () => {
    const first = await openNodeFiles(folder, { create: true });
    first.main.write(bytes, { at: 0 });
    takeLockAway();
    const second = await openNodeFiles(folder);
    for (const journal of [second.journal, second.wal]) {
      journal.write(bytes, { at: 0 });
      journal.truncate(0);
    }
    await first.close();
    expect(fs.readdirSync(folder).sort()).toEqual(['pds.db', 'pds.db-journal', 'pds.db-wal', 'pds.lock']);
    second.wal.write(bytes, { at: 0 });
    second.wal.flush();
    expect(fs.readFileSync(join(folder, 'pds.db-wal'))).toEqual(Buffer.from(bytes));
    await second.close();
  });
});

test('a repository without its lock makes no commit, and the new owner keeps all commits', async () => {
  const put = (repo: Repo, n: number): Promise<unknown> => repo.put(POST, rkeyOf(n), post(`${n}`));
  const first = await createRepo(folder, { did: DID });
  await put(first, 1);
  takeLockAway();
  const second = await openRepo(folder);
  await put(second, 2);
  for (let i = 0; i < 3; i++) {
    await expect(put(first, 3)).rejects.toEqual(code('StorageFailed'));
  }
  await put(second, 4);
  // It cannot checkpoint its WAL. The new owner does it.
  await first.close().catch((error: unknown) => expect(error).toEqual(code('StorageFailed')));
  await put(second, 5);
  expect((await second.verify()).faults).toEqual([]);
  await second.close();
  const third = await openRepo(folder);
  expect(await third.info()).toMatchObject({ records: 4, commits: 4 });
  expect((await third.verify()).faults).toEqual([]);
  await third.close();
  expect(fs.readdirSync(folder).sort()).toEqual(['blobs', 'pds.db']);
});
