/** The conformance suites and their harnesses in a browser. */
import type { BrowserStorage } from '../../src/adapters/platform/browser-platform.ts';
import { browserPlatform } from '../../src/adapters/platform/browser-platform.ts';
import { createSqliteBlockStore, openSqliteBlockStore } from '../../src/adapters/sqlite/open-block-store.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { blockStoreCases } from '../../src/testing/storage/block-store-cases.ts';
import type { BlockStoreHarness } from '../../src/testing/storage/block-store-harness.ts';
import type { Case } from '../../src/testing/case.ts';
import { isSkippedCase } from '../../src/testing/case.ts';
import { databaseFilesCases } from '../../src/testing/files/database-files-cases.ts';
import { repoBlobCases } from '../../src/testing/repo/blob-cases.ts';
import { repoGarbageCases } from '../../src/testing/repo/garbage-cases.ts';
import { DID } from '../../src/testing/repo/harness.ts';
import type { RepoHarness } from '../../src/testing/repo/harness.ts';
import type { DatabaseFiles } from '../../src/wasm/vfs/database-files.ts';
import { loadSqlite } from '../../src/wasm/database/sqlite.ts';
import { blobsHarness, filesHarness, newName, openFiles } from './places.ts';
import { wasm } from './wasm.ts';

const blockHarness = (storage: BrowserStorage): BlockStoreHarness => {
  const name = newName();
  let files: DatabaseFiles | undefined;
  let isMade = false;
  return {
    async open() {
      const sqlite = await loadSqlite(await wasm());
      files = await openFiles(storage, name);
      const database = sqlite.open(files);
      const store = isMade ? openSqliteBlockStore(database, files) : createSqliteBlockStore(database, files, DID);
      isMade = true;
      return store;
    },
    openSecond: () => openFiles(storage, name),
    // The store is not closed, as after the end of a worker. Its files are released, as a browser
    // does.
    crash: async () => files?.close(),
  };
};

const repoHarness = (storage: BrowserStorage): RepoHarness => {
  const name = newName();
  return {
    create: async (options) => sqliteRepo(await browserPlatform(name, { storage, wasm, create: true }), options),
    open: async (options = {}) => sqliteRepo(await browserPlatform(name, { storage, wasm }), options),
    other: () => repoHarness(storage),
  };
};

interface Suite<H> {
  readonly cases: readonly Case<H>[];
  readonly harness: (storage: BrowserStorage) => H;
}

const suite = <H>(cases: readonly Case<H>[], harness: (storage: BrowserStorage) => H): Suite<H> => ({ cases, harness });

export const suites = {
  'database files': suite(databaseFilesCases, filesHarness),
  'blob store': suite(blobStoreCases, blobsHarness),
  'block store': suite(blockStoreCases, blockHarness),
  // `entry-points.test.ts` runs all cases of a repository. These depend most on the storage.
  repository: suite([...repoBlobCases, ...repoGarbageCases], repoHarness),
} as const;

export type SuiteName = keyof typeof suites;

export type Outcome =
  | { readonly outcome: 'passed' }
  | { readonly outcome: 'failed' | 'skipped'; readonly message: string };

/** Runs one case of a suite. */
export const runCase = async (name: SuiteName, storage: BrowserStorage, caseName: string): Promise<Outcome> => {
  const { cases, harness } = suites[name] as Suite<unknown>;
  const found = cases.find((one) => one.name === caseName);
  if (found === undefined) {
    return { outcome: 'failed', message: `there is no such case: ${caseName}` };
  }
  try {
    await found.run(harness(storage));
    return { outcome: 'passed' };
  } catch (error) {
    if (isSkippedCase(error)) {
      return { outcome: 'skipped', message: error.message };
    }
    return { outcome: 'failed', message: describe(error) };
  }
};

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) {
    return String(error);
  }
  const code = 'code' in error ? ` (${String(error.code)})` : '';
  const cause = error.cause === undefined ? '' : `\ncaused by ${describe(error.cause)}`;
  return `${error.name}${code}: ${error.message}\n${error.stack}${cause}`;
};
