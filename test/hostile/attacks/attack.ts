/** An attack on a folder, a file or a command line, and the result that the library must give. */
import { openNodeFiles } from '../../../src/adapters/files/node-files.ts';
import { isRepoError } from '../../../src/core/errors.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { createRepo, openRepo } from '../../../src/node.ts';
import { DID, KEY, POST, creates } from '../../../src/testing/repo/harness.ts';
import type { Database } from '../../../src/wasm/database/database.ts';
import { openDatabase } from '../../adapters/sqlite/open-database.ts';
import { RKEY } from '../folder-cases.ts';

/** Both functions run in other processes than the test, and not in the same one, so that their costs are not mixed. */
export interface Attack {
  readonly name: string;
  /** Prepares the empty folder. */
  readonly make: (folder: string) => Promise<void> | void;
  /** Acts as a user. Returns the result: the error code, if there is an error. */
  readonly run: (folder: string) => Promise<string>;
  /** The expected result. */
  readonly end: string;
  /** The limit of processor time in milliseconds, where a valid input of this size also takes long. */
  readonly mostMs?: number | undefined;
  /** Megabytes that are added to the limit. */
  readonly mostMb?: number | undefined;
}

export interface AttackClass {
  readonly name: string;
  readonly attacks: readonly Attack[];
}

/** Returns the error code of a promise, or what it resolves to. */
export const endOf = async (work: () => Promise<string>): Promise<string> => {
  try {
    return await work();
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return error.code;
  }
};

/** Makes a repository of five posts. */
export const makePosts = async (folder: string): Promise<void> => {
  const repo = await createRepo(folder, { did: DID, signer: KEY });
  await repo.write(creates(5));
  await repo.close();
};

const used = async (folder: string, use: (repo: Repo) => Promise<string>): Promise<string> => {
  const repo = await openRepo(folder, { signer: KEY });
  try {
    return await use(repo);
  } finally {
    await repo.close();
  }
};

/**
 * Opens the repository, reads a record, verifies everything and writes. Returns `sound`, `damaged`, or the first error
 * code.
 */
export const use = (folder: string): Promise<string> =>
  endOf(() =>
    used(folder, async (repo) => {
      await repo.get(POST, RKEY);
      const { ok } = await repo.verify({ key: KEY.did() });
      await repo.put(POST, 'after', { $type: POST, text: 'after' });
      return ok ? 'sound' : 'damaged';
    }),
  );

/** Verifies the repository, repairs it and verifies it again: `damaged, whole, sound`, `damaged, lost, damaged`. */
export const repair = (folder: string): Promise<string> =>
  endOf(() =>
    used(folder, async (repo) => {
      const verify = async (): Promise<string> => ((await repo.verify()).ok ? 'sound' : 'damaged');
      const before = await verify();
      const { whole } = await repo.repair();
      return [before, whole ? 'whole' : 'lost', await verify()].join(', ');
    }),
  );

/** Changes a database with SQLite. SQLite does not read the schema again before the files are closed. */
export const withDatabase = async (folder: string, change: (database: Database) => void): Promise<void> => {
  const files = await openNodeFiles(folder);
  try {
    const database = await openDatabase(files);
    database.transaction(() => change(database));
    database.close();
  } finally {
    await files.close();
  }
};

/** Makes a sound repository and changes it with these statements. */
export const changedBy =
  (...statements: readonly string[]) =>
  async (folder: string): Promise<void> => {
    await makePosts(folder);
    await withDatabase(folder, (database) => statements.forEach((statement) => database.exec(statement)));
  };
