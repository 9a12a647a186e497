/** Repositories in real folders, and ways to damage them. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openNodeFiles } from '../../src/adapters/files/node-files.ts';
import type { CID } from '../../src/core/data/cid.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import type { VerifyReport } from '../../src/core/repo/long-work.ts';
import { createRepo, openRepo } from '../../src/node.ts';
import { DID, KEY, POST, creates, post, rkeyOf } from '../../src/testing/repo/harness.ts';
import type { Database } from '../../src/wasm/database/database.ts';
import { openDatabase } from '../adapters/sqlite/open-database.ts';

/** The facts about a repository that tests need before they damage it. */
export interface Sample {
  readonly folder: string;
  readonly database: string;
  /** The commits, oldest first. */
  readonly commits: readonly { readonly cid: CID; readonly rev: string; readonly data: CID }[];
  /** A record of the first commit. All later commits have it too. */
  readonly record: CID;
  readonly recordPath: string;
  /** A record that only the head has. */
  readonly lastRecord: CID;
  readonly lastPath: string;
  readonly blob: CID;
  readonly blobFile: string;
  readonly otherBlobFile: string;
}

/** Three commits (30 posts; one that mentions a blob; one more post), a ref `first` and two blobs. */
export const makeSample = async (root: string): Promise<Sample> => {
  const folder = join(mkdtempSync(join(root, 'd-')), 'repo');
  const repo = await createRepo(folder, { did: DID, signer: KEY });
  const blob = await repo.putBlob(new Uint8Array(5000).fill(3), { mimeType: 'image/png' });
  const other = await repo.putBlob(new Uint8Array(6000).fill(4));
  const { rev } = await repo.write(creates(30), { message: 'thirty' });
  await repo.setRef('first', rev);
  await repo.put(POST, rkeyOf(50), { ...post('with an image'), images: [blob, other] });
  const last = await repo.put(POST, rkeyOf(60), post('the last'));
  const commits: Sample['commits'][number][] = [];
  for await (const { cid, rev: of, data } of repo.log()) {
    commits.unshift({ cid, rev: of, data });
  }
  const record = await repo.get(POST, rkeyOf(5));
  await repo.close();
  const fileOf = (cid: CID): string => join(folder, 'blobs', 'ba', String(cid));
  return {
    folder,
    database: join(folder, 'pds.db'),
    commits,
    record: record!.cid,
    recordPath: `${POST}/${rkeyOf(5)}`,
    lastRecord: last.cid,
    lastPath: `${POST}/${rkeyOf(60)}`,
    blob: blob.ref,
    blobFile: fileOf(blob.ref),
    otherBlobFile: fileOf(other.ref),
  };
};

/** Runs SQL on the database of a closed repository. */
export const withSql = async (folder: string, use: (database: Database) => void): Promise<void> => {
  const files = await openNodeFiles(folder);
  try {
    const database = await openDatabase(files);
    database.transaction(() => use(database));
    database.close();
  } finally {
    await files.close();
  }
};

export const sql = (folder: string, ...statements: readonly string[]): Promise<void> =>
  withSql(folder, (database) => statements.forEach((statement) => database.exec(statement)));

/** Flips a bit in the last byte of a block. */
export const flipBlock = (folder: string, cid: CID): Promise<void> =>
  withSql(folder, (database) => {
    const read = database.prepare(`select value from blocks where key = '${String(cid)}'`);
    read.step();
    const bytes = read.columnBlob(0);
    read.finalize();
    bytes[bytes.length - 1]! ^= 1;
    database.prepare('update blocks set value = ? where key = ?').run(bytes, String(cid));
  });

export const changeFile = (path: string, change: (bytes: Buffer) => Uint8Array | undefined): void => {
  const bytes = readFileSync(path);
  writeFileSync(path, change(bytes) ?? bytes);
};

/** Runs `use` on the open repository. */
export const open = async <T>(folder: string, use: (repo: Repo) => Promise<T>): Promise<T> => {
  const repo = await openRepo(folder);
  try {
    return await use(repo);
  } finally {
    await repo.close();
  }
};

export const verify = (folder: string): Promise<VerifyReport> => open(folder, (repo) => repo.verify());

/** Returns the faults that `verify` reports, or the error of `openRepo`. */
export const namesOf = async (folder: string): Promise<string[]> => {
  try {
    return (await verify(folder)).faults.map(({ code, message, path }) => `${code} ${path ?? ''} ${message}`);
  } catch (error) {
    return [`${(error as { code?: string }).code} (open) ${(error as Error).message}`];
  }
};
