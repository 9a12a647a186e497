/** The folder of a repository, in and out, over the files and blobs of Node. */
import { mkdirSync, openAsBlob, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openNodeBlobs } from '../../../src/adapters/blobs/node-blobs.ts';
import { openNodeFiles } from '../../../src/adapters/files/node-files.ts';
import { exportFolder, importFolder } from '../../../src/adapters/folders/transfer.ts';
import type { FolderEntry } from '../../../src/adapters/folders/transfer.ts';
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import type { RepoPlatform } from '../../../src/adapters/sqlite/open-repo.ts';
import { createRepo, openRepo } from '../../../src/node.ts';
import { creates, describe as inWords, DID, KEY } from '../../../src/testing/repo/harness.ts';
import { scratchFolder } from '../scratch.ts';

const root = scratchFolder('folder-transfer');
const platform = (directory: string, create: boolean): RepoPlatform => ({
  wasm: nodeSqliteWasm,
  openFiles: () => openNodeFiles(directory, { create }),
  openBlobs: () => openNodeBlobs(directory),
});
const code = (value: string): object => expect.objectContaining({ name: 'RepoError', code: value });

const from = join(root, 'from');
let words: string;
beforeAll(async () => {
  const repo = await createRepo(from, { did: DID, signer: KEY });
  await repo.write(creates(500));
  await repo.putBlob(new Uint8Array(100_000).fill(7));
  await repo.putBlob(new Uint8Array(0));
  words = await inWords(repo);
  await repo.close();
});

let count = 0;
const newPlace = (): string => join(root, `to-${count++}`);

/** All entries, with their bytes: so that they can be given in any order. */
const entriesOf = async (directory: string): Promise<FolderEntry[]> => {
  const entries: FolderEntry[] = [];
  for await (const { path, content } of exportFolder(platform(directory, false))) {
    entries.push({ path, content: await new Response(content.stream()).blob() });
  }
  return entries;
};

const wordsOf = async (directory: string): Promise<string> => {
  const repo = await openRepo(directory);
  const result = `${(await repo.verify()).ok ? '' : 'damaged '}${await inWords(repo)}`;
  await repo.close();
  return result;
};

describe('exporting', () => {
  test('yields the database first, and then the blobs, with their sizes', async () => {
    const entries = await entriesOf(from);
    expect(entries.map(({ path }) => path.slice(0, 16))).toEqual(['pds.db', 'blobs/ba/bafkrei', 'blobs/ba/bafkrei']);
    expect(
      entries
        .slice(1)
        .map(({ content }) => content.size)
        .sort(),
    ).toEqual([0, 100_000]);
  });

  test('locks the repository until the iteration ends, which leaving it does', async () => {
    for await (const { path } of exportFolder(platform(from, false))) {
      expect(path).toBe('pds.db');
      await expect(openRepo(from)).rejects.toEqual(code('Locked'));
      break;
    }
    expect(await wordsOf(from)).toBe(words);
  });
});

describe('importing', () => {
  test('makes the same repository, in either order, and passes over what is no part of it', async () => {
    const entries = await entriesOf(from);
    const other = { path: 'notes.txt', content: new Blob(['x']) };
    for (const order of [entries, [...entries, other].reverse()]) {
      const to = newPlace();
      expect(await importFolder(platform(to, true), order)).toEqual({ did: DID, blobs: 2 });
      expect(await wordsOf(to)).toBe(words);
    }
  });

  test('straight from another place, without holding it', async () => {
    const to = newPlace();
    await importFolder(platform(to, true), exportFolder(platform(from, false)));
    expect(await wordsOf(to)).toBe(words);
  });

  test('checkpoints a WAL that a crash has left', async () => {
    const files = await openNodeFiles(newPlace(), { create: true });
    await files.close();
    const repo = await createRepo(newPlace(), { did: DID });
    await repo.write(creates(10));
    const live = join(root, `to-${count - 1}`);
    const entries = await Promise.all(
      ['pds.db', 'pds.db-wal'].map(async (path) => ({
        path,
        content: new Blob([await (await openAsBlob(join(live, path))).arrayBuffer()]),
      })),
    );
    expect(entries[1]!.content.size).toBeGreaterThan(0);
    const expected = await inWords(repo);
    await repo.close();
    const to = newPlace();
    await importFolder(platform(to, true), entries);
    expect(await wordsOf(to)).toBe(expected);
    expect(readdirSync(to).sort()).toEqual(['blobs', 'pds.db']);
  });

  const refused = async (entries: readonly FolderEntry[], expected: string): Promise<void> => {
    const to = newPlace();
    await expect(importFolder(platform(to, true), entries)).rejects.toEqual(code(expected));
    await expect(openRepo(to)).rejects.toEqual(code('RepoNotFound'));
    expect(await importFolder(platform(to, true), await entriesOf(from))).toMatchObject({ blobs: 2 });
    expect(await wordsOf(to)).toBe(words);
  };

  test('a folder without a database is RepoNotFound', async () => {
    const entries = await entriesOf(from);
    await refused(entries.slice(1), 'RepoNotFound');
    await refused([{ path: 'pds.db', content: new Blob([]) }], 'RepoNotFound');
  });

  test('a file that is not a database, or not a repository, is Malformed', async () => {
    await refused([{ path: 'pds.db', content: new Blob(['no database '.repeat(2000)]) }], 'Malformed');
    const [main, ...blobs] = await entriesOf(from);
    await refused([...blobs, { path: 'pds.db', content: (main!.content as Blob).slice(0, 8192) }], 'Malformed');
  });

  test('a blob that does not match its name is Malformed', async () => {
    const entries = await entriesOf(from);
    const wrong = entries.map((entry, i) => (i === 2 ? { ...entry, content: new Blob(['something else']) } : entry));
    await refused(wrong, 'Malformed');
  });

  test('a stream that fails leaves nothing', async () => {
    const entries = await entriesOf(from);
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(10_000));
        controller.error(new Error('the line was cut'));
      },
    });
    const to = newPlace();
    const cut = { path: 'pds.db', content: { size: 50_000, stream: () => broken } };
    await expect(importFolder(platform(to, true), [...entries.slice(1), cut])).rejects.toThrow('the line was cut');
    await expect(openRepo(to)).rejects.toEqual(code('RepoNotFound'));
    expect(readdirSync(join(to, 'blobs', 'ba'))).toEqual([]);
  });

  test('an existing repository is RepoExists, and stays', async () => {
    await expect(importFolder(platform(from, true), await entriesOf(from))).rejects.toEqual(code('RepoExists'));
    expect(await wordsOf(from)).toBe(words);
  });

  test('a name that leads out of the folder is skipped', async () => {
    const to = newPlace();
    mkdirSync(to);
    writeFileSync(join(root, 'outside'), 'x');
    const entries = await entriesOf(from);
    const odd = ['../pds.db', '/pds.db', 'blobs/ba/../../x', 'blobs/../pds.db'].map((path) => ({
      path,
      content: new Blob(['x']),
    }));
    await importFolder(platform(to, true), [...odd, ...entries]);
    expect(await wordsOf(to)).toBe(words);
  });
});
