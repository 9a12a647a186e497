import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openNodeFiles } from '../../../src/adapters/files/node-files.ts';
import { createSqliteBlockStore } from '../../../src/adapters/sqlite/open-block-store.ts';
import { blockStoreCases } from '../../../src/testing/storage/block-store-cases.ts';
import { listOf } from '../../../src/core/data/list-of.ts';
import { blockOf, cidsOf, revOf } from '../../../src/testing/storage/block-store-harness.ts';
import type { BlockStoreHarness } from '../../../src/testing/storage/block-store-harness.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import type { Database } from '../../../src/wasm/database/database.ts';
import type { DatabaseFiles } from '../../../src/wasm/vfs/database-files.ts';
import { runCases } from '../../run-cases.ts';
import { hasSqlite3, inFolder, openDatabase, sqlite3, sqlite3OfMemory } from './open-database.ts';
import { createStore, DID, fill, openStore } from './open-store.ts';

const [a, b] = [blockOf(0), blockOf(1)];

const memoryHarness = (durableOn: 'flush' | 'persist', ending: 'afterPowerCut' | 'reopened'): BlockStoreHarness => {
  let files: MemoryFiles | undefined;
  let crashed = false;
  return {
    open: async () => {
      if (files === undefined) {
        files = new MemoryFiles({ durableOn });
        return createStore(files);
      }
      files = crashed ? files[ending]() : files.reopened();
      crashed = false;
      return openStore(files);
    },
    crash: async () => {
      crashed = true;
    },
  };
};

describe('over files in memory', () => {
  describe('durable on flush, with power cuts as crashes', () => {
    runCases(blockStoreCases, () => memoryHarness('flush', 'afterPowerCut'));
  });

  describe('durable on flush, with kills as crashes', () => {
    runCases(blockStoreCases, () => memoryHarness('flush', 'reopened'));
  });

  describe('durable on persist', () => {
    runCases(blockStoreCases, () => memoryHarness('persist', 'afterPowerCut'));
  });
});

/** One folder per test, and after each crash. */
const nodeHarness = (): BlockStoreHarness => {
  const parent = mkdtempSync(join(tmpdir(), 'pdsdb-test-'));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  let folder = join(parent, 'repo');
  return {
    open: async () =>
      existsSync(join(folder, 'pds.db'))
        ? openStore(await openNodeFiles(folder))
        : createStore(await openNodeFiles(folder, { create: true })),
    openSecond: async () => openNodeFiles(folder),
    crash: async () => {
      // The files as after a kill, without the lock, whose process runs.
      const left = `${folder} again`;
      cpSync(folder, left, { recursive: true, filter: (path) => !path.endsWith('.lock') });
      folder = left;
    },
  };
};

describe('over files of Node', () => {
  runCases(blockStoreCases, nodeHarness);

  test.skipIf(!hasSqlite3)(
    'sqlite3 reads the database, and the folder has no other file (needs the sqlite3 command)',
    () =>
      inFolder(async (parent) => {
        const folder = join(parent, 'repo');
        const store = await createStore(await openNodeFiles(folder, { create: true }));
        await fill(store);
        await store.close();
        expect(readdirSync(folder)).toEqual(['pds.db']);
        const path = join(folder, 'pds.db');
        expect(sqlite3(path, 'pragma integrity_check')).toEqual(['ok']);
        expect(sqlite3(path, 'pragma journal_mode')).toEqual(['delete']);
        expect(sqlite3(path, `select sql from sqlite_schema where sql is not null order by name`)).toEqual([
          'CREATE TABLE blocks (key TEXT PRIMARY KEY, value BLOB NOT NULL)',
          'CREATE TABLE commits (key TEXT PRIMARY KEY, value BLOB NOT NULL)',
          'CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL)',
          'CREATE TABLE refs (key TEXT PRIMARY KEY, value BLOB NOT NULL)',
        ]);
        expect(sqlite3(path, 'select typeof(key), key, typeof(value), cast(value as text) from refs')).toEqual([
          `text|main|blob|${a.cid}`,
        ]);
        expect(sqlite3(path, 'select key, typeof(value), cast(value as text) from commits')).toEqual([
          `${revOf(1)}|blob|${a.cid}`,
        ]);
        expect(sqlite3(path, 'select key, typeof(value), cast(value as text) from meta order by key')).toEqual([
          `did|blob|${DID}`,
          'message|blob|first',
          `pdsdb:blocks|blob|500 500 ${a.cid}`,
          'version|blob|1',
        ]);
        expect(sqlite3(path, `select typeof(value), hex(value) from blocks where key = '${a.cid}'`)).toEqual([
          `blob|${Buffer.from(a.bytes).toString('hex').toUpperCase()}`,
        ]);
        expect(sqlite3(path, 'select count(*) from blocks')).toEqual(['500']);
      }),
  );

  test.skipIf(!hasSqlite3)('a database of sqlite3 is read (needs the sqlite3 command)', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'pds.db');
      for (const name of ['blocks', 'refs', 'meta']) {
        sqlite3(path, `create table kv_${name} (key TEXT PRIMARY KEY, value BLOB NOT NULL)`);
      }
      sqlite3(path, `insert into kv_meta values ('did', '${DID}'), ('version', cast('1' as blob))`);
      sqlite3(path, `insert into kv_refs values ('main', cast('${a.cid}' as blob)), ('tag', '${b.cid}')`);
      sqlite3(path, `insert into kv_blocks values ('${a.cid}', x'${Buffer.from(a.bytes).toString('hex')}')`);
      const store = await openStore(await openNodeFiles(folder));
      expect(await store.meta('did')).toBe(DID);
      expect((await listOf(store.refs())).map(([name, cid]) => `${name} ${cid}`)).toEqual([
        `main ${a.cid}`,
        `tag ${b.cid}`,
      ]);
      expect(await store.get(a.cid)).toEqual(a.bytes);
      await store.transact((change) => change.addCommit(revOf(1), a.cid));
      await store.close();
      expect(sqlite3(path, 'select key, cast(value as text) from kv_commits')).toEqual([`${revOf(1)}|${a.cid}`]);
      expect(sqlite3(path, 'pragma integrity_check')).toEqual(['ok']);
    }),
  );

  test.skipIf(!hasSqlite3)('tables of another program are listed and not changed (needs the sqlite3 command)', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'pds.db');
      await (await createStore(await openNodeFiles(folder, { create: true }))).close();
      sqlite3(path, 'create table notes (text)');
      sqlite3(path, `insert into notes values ('mine')`);
      sqlite3(path, 'create index by_text on notes (text)');
      const store = await openStore(await openNodeFiles(folder));
      expect((await store.maintenance.space()).others?.toSorted()).toEqual(['index=by_text', 'table=notes']);
      await store.transact((change) => change.put([a]));
      await store.close();
      expect(sqlite3(path, 'select text from notes')).toEqual(['mine']);
    }),
  );

  test.skipIf(!hasSqlite3)('a refused folder is not changed (needs the sqlite3 command)', () =>
    inFolder(async (folder) => {
      const path = join(folder, 'pds.db');
      sqlite3(path, 'create table notes (text)');
      const before = readFileSync(path);
      await expect(openNodeFiles(folder).then(openStore)).rejects.toMatchObject({
        code: 'Corrupt',
        message: expect.stringMatching(/table=notes/),
      });
      expect(readFileSync(path).equals(before)).toBe(true);
      expect(readdirSync(folder)).toEqual(['pds.db']);
    }),
  );
});

describe('opening and creating', () => {
  test('return the account', async () => {
    const files = new MemoryFiles();
    await using store = await createSqliteBlockStore(await openDatabase(files), files, DID);
    expect(store.did).toBe(DID);
    expect(await store.meta('did')).toBe(DID);
    expect(await store.meta('version')).toBe('1');
  });

  test('a refusal closes the database and the files', async () => {
    for (const [make, code] of [
      [openStore, 'RepoNotFound'],
      [
        (files: DatabaseFiles) =>
          openDatabase(files).then((database) => createSqliteBlockStore(database, files, 'alice')),
        'InvalidDid',
      ],
    ] as const) {
      const files = new MemoryFiles();
      let closed = 0;
      files.close = async () => {
        closed += 1;
      };
      await expect(make(files)).rejects.toMatchObject({ code });
      expect(closed).toBe(1);
    }
  });

  test('a repository does not replace another', async () => {
    const files = new MemoryFiles();
    const first = await createStore(files);
    await fill(first);
    await first.close();
    const second = files.reopened();
    await expect(createStore(second)).rejects.toMatchObject({ code: 'RepoExists' });
    await using store = await openStore(second.reopened());
    expect(await store.count()).toBe(500);
  });
});

describe('closing', () => {
  test('closes the files last, once, also when the database fails to close', async () => {
    const files = new MemoryFiles();
    const log: string[] = [];
    const database: Database = await openDatabase(files);
    const close = database.close.bind(database);
    const cause = new Error('the WAL could not be checkpointed');
    database.close = () => {
      close();
      log.push('database');
      throw cause;
    };
    files.close = async () => {
      log.push('files');
    };
    const store = await createSqliteBlockStore(database, files, DID);
    await expect(store.close()).rejects.toBe(cause);
    await expect(store.close()).rejects.toBe(cause);
    expect(log).toEqual(['database', 'files']);
    expect(database.statementCount).toBe(0);
  });

  test.skipIf(!hasSqlite3)(
    'leaves a database that any SQLite reads, with both kinds of files (needs the sqlite3 command)',
    async () => {
      for (const durableOn of ['flush', 'persist'] as const) {
        const files = new MemoryFiles({ durableOn });
        const store = await createStore(files);
        await fill(store);
        await store.close();
        const left = files.reopened();
        expect([left.wal.getSize(), left.journal.getSize()]).toEqual([0, 0]);
        expect(
          await sqlite3OfMemory(left, 'pragma integrity_check; select count(*) from blocks; pragma journal_mode'),
        ).toEqual(['ok', '500', 'delete']);
      }
    },
  );

  test('persist files are persisted before they are closed', async () => {
    const files = new MemoryFiles({ durableOn: 'persist' });
    const log: string[] = [];
    const store = await createStore(files);
    await fill(store);
    const persist = files.persist.bind(files);
    files.persist = async () => {
      log.push('persist');
      await persist();
    };
    files.close = async () => {
      log.push('close');
    };
    await store.close();
    expect(log).toEqual(['persist', 'close']);
    expect(cidsOf([a]).map(String)).toEqual([String(await (await openStore(files.afterPowerCut())).ref('main'))]);
  });
});
