/** Runs the cases for repositories and block stores in Bun, in the given folder. */
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import { openNodeFiles } from '../../../src/adapters/files/node-files.ts';
import { createSqliteBlockStore, openSqliteBlockStore } from '../../../src/adapters/sqlite/open-block-store.ts';
import { createRepo, importRepo, openOrCreateRepo, openRepo } from '../../../src/node.ts';
import { blockStoreCases } from '../../../src/testing/storage/block-store-cases.ts';
import type { BlockStoreHarness } from '../../../src/testing/storage/block-store-harness.ts';
import { repoCases } from '../../../src/testing/repo/cases.ts';
import type { RepoHarness } from '../../../src/testing/repo/harness.ts';
import { DID } from '../../../src/testing/repo/harness.ts';
import { loadSqlite } from '../../../src/wasm/database/sqlite.ts';
import { printCases } from '../print-cases.ts';

const root = process.argv[2]!;
let count = 0;

const repoHarness = (): RepoHarness => {
  const folder = `${root}/repo-${count++}`;
  return {
    create: (options) => createRepo(folder, options),
    open: (options) => openRepo(folder, options),
    openReadOnly: () => openRepo(folder, { readOnly: true }),
    openOrCreate: (options) => openOrCreateRepo(folder, options),
    importRepo: (car, options) => importRepo(folder, car, options),
    other: repoHarness,
  };
};

const sqlite = await loadSqlite(await nodeSqliteWasm());

const storeHarness = async (): Promise<BlockStoreHarness> => {
  const folder = `${root}/store-${count++}`;
  let made = false;
  const open = async () => {
    const files = await openNodeFiles(folder, { create: !made });
    const database = sqlite.open(files);
    const store = made
      ? await openSqliteBlockStore(database, files)
      : await createSqliteBlockStore(database, files, DID);
    made = true;
    return store;
  };
  return { open, openSecond: () => openNodeFiles(folder) };
};

await printCases(repoCases, async () => repoHarness());
await printCases(blockStoreCases, storeHarness);
