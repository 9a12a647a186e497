/** Databases with changed bytes, and with rows changed by SQL. No read may return wrong data. */
import { openSqliteBlockStore } from '../../src/adapters/sqlite/open-block-store.ts';
import { isCidOf } from '../../src/core/data/cid.ts';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import { MemoryFiles } from '../../src/testing/files/memory-files.ts';
import { KEY, POST, post, rkeyOf } from '../../src/testing/repo/harness.ts';
import { readAll } from '../../src/core/data/streams.ts';
import { openDatabase } from '../adapters/sqlite/open-database.ts';
import { createStore } from '../adapters/sqlite/open-store.ts';
import { BASE_REV, carOf, posts, repositoryOf } from '../hostile/build-repository.ts';
import type { FuzzTarget, Outcome } from './fuzz-target.ts';
import { hold, orRefused } from './fuzz-target.ts';
import { editRows, mutateFile } from './mutate-database.ts';

const RECORDS = 40;

const seedBytes = await (async (): Promise<Uint8Array> => {
  const files = new MemoryFiles();
  const store = await createStore(files);
  const repo = repoOver({ did: store.did, store, blobs: new MemoryBlobStore() });
  // From CARs, because a written commit contains the time, and a case must be the same each time.
  await repo.importCar(carOf(await repositoryOf({ records: posts(RECORDS, 'old'), fields: { rev: BASE_REV } })));
  await repo.setRef('tag', (await repo.head())!.cid);
  await repo.importCar(carOf(await repositoryOf({ records: posts(RECORDS) })));
  // Copied after a checkpoint, as on a disk.
  const { main } = files;
  await repo.close();
  return main.bytes();
})();

const filesOf = (bytes: Uint8Array): MemoryFiles => {
  const files = new MemoryFiles();
  files.main.write(bytes, { at: 0 });
  return files;
};

/** Runs every operation of a repository, each until it is refused. */
const use = async (repo: Repo): Promise<boolean> => {
  let sound = true;
  const attempt = async (run: () => Promise<unknown>): Promise<void> => {
    const result = await orRefused(async () => ({ value: await run() }));
    sound &&= result !== undefined;
  };
  await attempt(() => repo.head());
  for (let i = 0; i < 5; i++) {
    await attempt(async () => {
      const found = await repo.get(POST, rkeyOf(i));
      hold(found === undefined || isCidOf(found.cid, found.bytes), 'a returned record matches its CID');
    });
  }
  await attempt(async () => {
    for await (const { cid, bytes } of repo.list(POST)) {
      hold(isCidOf(cid, bytes), 'a listed record matches its CID');
    }
  });
  for (const list of [repo.log(), repo.blobs(), repo.missingBlobs()]) {
    await attempt(async () => {
      for await (const _ of list) {
        // This target only reads.
      }
    });
  }
  await attempt(() => repo.refs());
  await attempt(() => repo.info());
  await attempt(() => readAll(repo.exportCar()));
  await attempt(async () => {
    const { ok } = await repo.verify({ key: KEY.did() });
    sound &&= ok;
  });
  await attempt(() => repo.put(POST, 'new', post('new')));
  await attempt(() => repo.gc());
  return sound;
};

const judge = async (files: MemoryFiles): Promise<Outcome> => {
  const opened = await orRefused(async () => {
    const database = await openDatabase(files);
    const store = await openSqliteBlockStore(database, files);
    return repoOver({ did: store.did, store, blobs: new MemoryBlobStore(), signer: KEY });
  });
  if (opened === undefined) {
    return 'refused';
  }
  const sound = await use(opened);
  await orRefused(() => opened.close());
  return sound ? 'accepted' : 'refused';
};

export const databaseTargets: readonly FuzzTarget[] = [
  { name: 'bytes of pds.db', run: (random) => judge(filesOf(mutateFile(seedBytes, random))) },
  {
    name: 'rows and schema of pds.db',
    async run(random) {
      const files = filesOf(seedBytes);
      await editRows(files, random);
      return judge(files);
    },
  },
];
