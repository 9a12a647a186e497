/** Databases: bytes that somebody changed, and rows that somebody changed with SQL. Nothing wrong is ever answered as right. */
import { openSqliteBlockStore } from '../../src/adapters/open-sqlite-block-store.ts';
import { isCidOf } from '../../src/core/cid.ts';
import { isRepoError } from '../../src/core/errors.ts';
import { MemoryBlobStore } from '../../src/core/memory-blob-store.ts';
import type { Repo } from '../../src/core/repo.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import { MemoryFiles } from '../../src/testing/memory-files.ts';
import { KEY, POST, bytesOf, post, rkeyOf } from '../../src/testing/repo-harness.ts';
import { openDatabase } from '../adapters/open-database.ts';
import { createStore } from '../adapters/open-store.ts';
import { BASE_REV, carOf, posts, repositoryOf } from '../hostile/build-repository.ts';
import type { FuzzTarget, Outcome } from './fuzz-target.ts';
import { hold, orRefused } from './fuzz-target.ts';
import type { Random } from './mutate-bytes.ts';
import { below, mutateBytes, pick } from './mutate-bytes.ts';

const RECORDS = 40;

const seedBytes = await (async (): Promise<Uint8Array> => {
  const files = new MemoryFiles();
  const store = await createStore(files);
  const repo = repoOver({ did: store.did, store, blobs: new MemoryBlobStore() });
  // From CARs, because what is written here has the time in it, and a case has to be the same each time.
  await repo.importCar(carOf(await repositoryOf({ records: posts(RECORDS, 'old'), fields: { rev: BASE_REV } })));
  await repo.setRef('tag', (await repo.head())!.cid);
  await repo.importCar(carOf(await repositoryOf({ records: posts(RECORDS) })));
  // Taken after the log is folded in, as it would lie on a disk.
  const { main } = files;
  await repo.close();
  return main.bytes();
})();

const filesOf = (bytes: Uint8Array): MemoryFiles => {
  const files = new MemoryFiles();
  files.main.write(bytes, { at: 0 });
  return files;
};

/** Does all that one does with a repository, each until it is refused. */
const use = async (repo: Repo): Promise<boolean> => {
  let sound = true;
  const attempt = async (run: () => Promise<unknown>): Promise<void> => {
    const answer = await orRefused(async () => ({ value: await run() }));
    sound &&= answer !== undefined;
  };
  await attempt(() => repo.head());
  for (let i = 0; i < 5; i++) {
    await attempt(async () => {
      const found = await repo.get(POST, rkeyOf(i));
      hold(found === undefined || isCidOf(found.cid, found.bytes), 'a record that is answered is what its CID names');
    });
  }
  await attempt(async () => {
    for await (const { cid, bytes } of repo.list(POST)) {
      hold(isCidOf(cid, bytes), 'a record that is listed is what its CID names');
    }
  });
  for (const list of [repo.log(), repo.blobs(), repo.missingBlobs()]) {
    await attempt(async () => {
      for await (const _ of list) {
        // Reading is all.
      }
    });
  }
  await attempt(() => repo.refs());
  await attempt(() => repo.info());
  await attempt(() => bytesOf(repo.exportCar()));
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

const TABLES = ['blocks', 'commits', 'meta', 'refs'] as const;
const anyRow = (random: Random, table: string): string => `rowid = (select rowid from ${table} limit 1 offset ${below(random, RECORDS)})`;
const EDITS: readonly ((random: Random, table: string) => string)[] = [
  (random, table) => `delete from ${table} where ${anyRow(random, table)}`,
  (_, table) => `delete from ${table}`,
  (random, table) => `update ${table} set value = zeroblob(${below(random, 5000)}) where ${anyRow(random, table)}`,
  (random, table) => `update ${table} set value = substr(value, 1, ${below(random, 60)}) where ${anyRow(random, table)}`,
  (random, table) => `update ${table} set value = cast(value as text) where ${anyRow(random, table)}`,
  (random, table) => `update ${table} set value = ${pick(random, ['1', '1.5', "'text'", "x''", "x'ff'", '9223372036854775807'])} where ${anyRow(random, table)}`,
  (random, table) => `update ${table} set value = (select value from ${pick(random, TABLES)} limit 1 offset ${below(random, RECORDS)}) where ${anyRow(random, table)} and exists (select 1 from blocks)`,
  (random, table) => `update or ignore ${table} set key = ${pick(random, ["upper(key)", "key || char(0)", "''", "'__proto__'", "cast(key as blob)", '5', "'main'", "substr(key, 2)"])} where ${anyRow(random, table)}`,
  (random, table) => `insert or ignore into ${table} values (${pick(random, ["'x'", "''", "null", "x'00'", "'__proto__'", "'zzzzzzzzzzzzz'", "'main'"])}, ${pick(random, ["x'00'", "'text'", "zeroblob(100000)", '0'])})`,
  (_, table) => `drop table ${table}`,
  (_, table) => `create trigger t after insert on ${table} begin delete from blocks; end`,
  (_, table) => `create index i on ${table} (value)`,
  () => `create view v as select * from blocks`,
  (_, table) => `alter table ${table} add column extra`,
  (_, table) => `alter table ${table} rename to kv_${table}`,
  (random) => `pragma user_version = ${below(random, 1000)}`,
  (random) => `pragma application_id = ${below(random, 1000)}`,
];

export const databaseTargets: readonly FuzzTarget[] = [
  {
    name: 'bytes of pds.db',
    async run(random) {
      const start = random() < 0.3 ? 0 : below(random, seedBytes.length);
      const end = Math.min(seedBytes.length, start + pick(random, [100, 4096, seedBytes.length]));
      const middle = mutateBytes(seedBytes.subarray(start, end), random);
      const image = new Uint8Array(start + middle.length + seedBytes.length - end);
      image.set(seedBytes.subarray(0, start));
      image.set(middle, start);
      image.set(seedBytes.subarray(end), start + middle.length);
      return judge(filesOf(image));
    },
  },
  {
    name: 'rows and schema of pds.db',
    async run(random) {
      const files = filesOf(seedBytes);
      const database = await openDatabase(files);
      for (let i = 0; i <= below(random, 3); i++) {
        try {
          database.exec(pick(random, EDITS)(random, pick(random, TABLES)));
        } catch (error) {
          if (!isRepoError(error)) {
            throw error;
          }
        }
      }
      database.close();
      return judge(files);
    },
  },
];
