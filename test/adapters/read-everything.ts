/** Repositories in folders for the tests of `readOnly`, and all reads of one. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { generateKey } from '../../src/core/crypto/signing-key.ts';
import { readAll } from '../../src/core/data/streams.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { createRepo } from '../../src/node.ts';
import { scratchFolder } from './scratch.ts';

const scratch = scratchFolder('read-only');
export const did = 'did:web:alice.example.com';
export const POST = 'com.example.post';
export const signer = generateKey();
export const key = signer.did();
let folders = 0;
export const newFolder = (): string => join(scratch, `r${++folders}`);

/** Creates a repository with commits, a blob and a branch. */
export const fill = async (repo: Repo): Promise<void> => {
  for (let n = 0; n < 5; n++) {
    await repo.put(POST, `p${n}`, { text: `post ${n}` });
  }
  await repo.putBlob(new TextEncoder().encode('a picture'), { mimeType: 'image/png' });
  await repo.meta.set('app:cursor', '7');
  await repo.setRef('tag', 'main');
  await repo.branch('draft').put(POST, 'd', { text: 'draft' });
};

export const makeRepo = async (): Promise<string> => {
  const folder = newFolder();
  await using repo = await createRepo(folder, { did, signer });
  await fill(repo);
  return folder;
};

/** Returns the folder as after a kill: the lock file in a copy is stale. */
export const killed = async (work: (repo: Repo) => Promise<void> = fill): Promise<string> => {
  const folder = newFolder();
  await using repo = await createRepo(folder, { did, signer });
  await work(repo);
  const copy = newFolder();
  fs.cpSync(folder, copy, { recursive: true });
  return copy;
};

/** Returns everything in a folder: names, contents, times. */
export const stateOf = (folder: string): object[] =>
  fs.readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const { mtimeNs, ctimeNs } = fs.lstatSync(path, { bigint: true });
    return { path, mtimeNs, ctimeNs, bytes: entry.isFile() ? fs.readFileSync(path, 'hex') : '' };
  });

export const collect = async <T>(list: AsyncIterable<T>): Promise<T[]> => {
  const entries: T[] = [];
  for await (const entry of list) {
    entries.push(entry);
  }
  return entries;
};

/** Returns the results of every read of a repository. */
export const readEverything = async (repo: Repo): Promise<object> => {
  const [blob] = await collect(repo.blobs());
  const branch = repo.branch('draft');
  const { storage: _, ...info } = await repo.info();
  return {
    info,
    head: await repo.head(),
    record: await repo.get(POST, 'p1'),
    bytes: await repo.getBytes(`${POST}/p1`),
    list: await collect(repo.list(POST)),
    collections: await repo.collections(),
    log: await collect(repo.log()),
    diff: await collect(repo.diff(undefined, 'main')),
    refs: await repo.refs(),
    meta: await collect(repo.meta.list()),
    cursor: await repo.meta.get('app:cursor'),
    car: await readAll(repo.exportCar()),
    blob: blob && (await (await repo.getBlob(blob.cid))!.text()),
    missing: await collect(repo.missingBlobs()),
    branch: [await branch.head(), await branch.base(), await collect(branch.list(POST)), await collect(branch.diff())],
    entries: await collect((await repo.checkout()).entries()),
    verify: await repo.verify({ key: key }),
  };
};
