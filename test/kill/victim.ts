/**
 * The process that is killed. It creates or opens the repository and changes it in an endless loop, in any runtime. It
 * prints the line `start <n>` before each step and `ack <n>` after it, and begins at the given number.
 */
import type { Repo, WriteOp } from '../../src/core/repo/repo.ts';
import { isRepoError } from '../../src/core/errors.ts';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import { readAll } from '../../src/core/data/streams.ts';

export const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
export const STEPS = 'com.example.step';
const IMPORTED = 'com.example.imported';
const IMPORT_SIZE = 300;

export interface EntryPoint {
  createRepo(folder: string, options: { readonly did: string }): Promise<Repo>;
  openRepo(folder: string, options: { readonly waitMs: number }): Promise<Repo>;
}

/** Each step writes a record with its number, in the same commit as its other changes. */
const mark = (n: number): WriteOp => ({
  action: 'create',
  collection: STEPS,
  rkey: `${n}`,
  value: { $type: STEPS, n },
});

const importStep = async (repo: Repo, n: number): Promise<void> => {
  const other = repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
  await other.importCar(await readAll(repo.exportCar()), { allowUnsigned: true });
  const records = Array.from(
    { length: IMPORT_SIZE },
    (_, i): WriteOp => ({
      action: 'create',
      collection: IMPORTED,
      rkey: `${n}-${i}`,
      value: { $type: IMPORTED, text: 'x'.repeat(200) },
    }),
  );
  const old: WriteOp[] = [];
  for await (const { rkey } of repo.list(IMPORTED)) {
    old.push({ action: 'delete', collection: IMPORTED, rkey });
  }
  await other.write([...old, ...records, mark(n)]);
  await repo.importCar(await readAll(other.exportCar()), { allowUnsigned: true });
};

const doStep = async (repo: Repo, n: number): Promise<void> => {
  if (n % 13 === 12) {
    await importStep(repo, n);
    return;
  }
  if (n % 7 === 6) {
    await repo.gc({ keep: 3, blobs: true, blobAge: 0 });
  }
  const more = Array.from(
    { length: (n * 7) % 60 },
    (_, i): WriteOp => ({
      action: 'create',
      collection: 'com.example.more',
      rkey: `${n}-${i}`,
      value: { $type: 'com.example.more', text: `${n} ${i}` },
    }),
  );
  const old: WriteOp[] = [];
  for await (const { rkey } of repo.list('com.example.more')) {
    old.push({ action: 'delete', collection: 'com.example.more', rkey });
  }
  const picture =
    n % 5 === 4
      ? await repo.putBlob(new TextEncoder().encode(`blob ${n}`.repeat(1000)), { mimeType: 'text/plain' })
      : undefined;
  const value = { $type: STEPS, n, ...(picture && { picture }) };
  await repo.write([...old, ...more, { action: 'create', collection: STEPS, rkey: `${n}`, value }]);
};

export const beVictim = async (
  { createRepo, openRepo }: EntryPoint,
  folder: string,
  first: number,
  print: (line: string) => void,
): Promise<void> => {
  const begin = Date.now();
  let repo: Repo;
  try {
    repo = await openRepo(folder, { waitMs: 10_000 });
  } catch (error) {
    if (!isRepoError(error, 'RepoNotFound')) {
      throw error;
    }
    repo = await createRepo(folder, { did: DID });
  }
  print(`open ${Date.now() - begin}`);
  for (let n = first; ; n++) {
    print(`start ${n}`);
    await doStep(repo, n);
    print(`ack ${n}`);
  }
};
