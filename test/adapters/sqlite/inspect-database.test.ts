/** Databases that are refused before SQLite runs, without a write. */
import { describe, expect, test } from 'vitest';
import { inspectDatabase, openInspected } from '../../../src/adapters/sqlite/inspect-database.ts';
import { openSqliteBlockStore } from '../../../src/adapters/sqlite/open-block-store.ts';
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import type { Database } from '../../../src/wasm/database/database.ts';
import { loadSqlite } from '../../../src/wasm/database/sqlite.ts';
import { openDatabase } from './open-database.ts';
import { createStore, DID, fill } from './open-store.ts';

const TABLES = ['blocks', 'commits', 'meta', 'refs'].map(
  (name) => `create table ${name} (key TEXT PRIMARY KEY, value BLOB NOT NULL)`,
);
const META = `insert into meta values ('did', cast('${DID}' as blob)), ('version', x'31')`;

const refusal = (code: string, message: RegExp): unknown =>
  expect.objectContaining({ name: 'RepoError', code, message: expect.stringMatching(message) });

/** Returns the files as after a kill while the database is open, or after it was closed. */
const filesWith = async (
  sql: readonly string[],
  leave: 'closed' | 'killed' = 'closed',
  change: (database: Database) => void = () => undefined,
): Promise<MemoryFiles> => {
  const files = new MemoryFiles();
  const database = await openDatabase(files);
  sql.forEach((statement) => database.exec(statement));
  change(database);
  if (leave === 'closed') {
    database.close();
  }
  const left = new MemoryFiles();
  (['main', 'journal', 'wal'] as const).forEach((name) => left[name].write(files[name].bytes(), { at: 0 }));
  return left;
};

const bytesOf = ({ main, journal, wal }: MemoryFiles): Uint8Array[] => [main, journal, wal].map((file) => file.bytes());

const namesIn = (files: MemoryFiles): string[] =>
  inspectDatabase(files)
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('sqlite_autoindex_'));

const OURS = ['blocks', 'commits', 'meta', 'refs'];

describe('the schema is read', () => {
  test('of a new repository, from its first page', async () => {
    const files = await filesWith([...TABLES, META]);
    expect(namesIn(files)).toEqual(OURS);
    expect(files.main.counts).toMatchObject({ reads: 1, bytesRead: 4096 });
  });

  test.each([512, 1024, 4096, 8192, 65536])(
    'in pages of %i bytes, with auto_vacuum and texts that overflow',
    async (size) => {
      const long = `create table notes (a) /* ${'n'.repeat(20_000)} */`.replace('(a) /*', '(a /*').concat(')');
      const many = Array.from({ length: 60 }, (_, i) => `create table other${i} (a)`);
      const start = [`pragma page_size=${size}; pragma auto_vacuum=full`, ...TABLES, long, ...many];
      const files = await filesWith(start);
      expect(namesIn(files)).toEqual([...OURS, 'notes', ...many.map((_, i) => `other${i}`)]);
    },
  );

  test('of an empty file, and of a file whose creation was rolled back', async () => {
    expect(inspectDatabase(new MemoryFiles())).toEqual([]);
    const files = await filesWith(['create table x (y)', 'drop table x']);
    expect(inspectDatabase(files)).toEqual([]);
  });

  test('with its WAL applied', async () => {
    const files = await filesWith(TABLES, 'killed', (database) => {
      database.transaction(() => database.exec('create table notes (a)'));
      database.begin();
      database.exec('create table uncommitted (a)');
    });
    expect(files.wal.getSize()).toBeGreaterThan(0);
    expect(namesIn(files)).toEqual([...OURS, 'notes']);
    // A damaged frame, and all later ones, are not committed.
    files.wal.write(new Uint8Array(8), { at: 32 + 24 });
    expect(namesIn(files)).toEqual(OURS);
  });

  test('with its journal applied', async () => {
    const files = await filesWith(TABLES, 'killed', (database) => {
      database.transaction(() => undefined);
      database.begin();
      database.bypassLog();
      database.exec('pragma cache_size=1');
      database.exec(`create table uncommitted (a)`);
      database.exec('insert into uncommitted values (zeroblob(100000))');
    });
    expect(files.journal.getSize()).toBeGreaterThan(0);
    expect(namesIn(files)).toEqual(OURS);
    files.journal.truncate(0);
    expect(() => inspectDatabase(files)).not.toThrow();
  });
});

describe('refused before SQLite runs', () => {
  const crafted = (sql: string): readonly string[] => [...TABLES, META, 'pragma writable_schema=on', sql];
  const row = (type: string, name: string, table: string, sql: string): string =>
    `insert into sqlite_schema values ('${type}', '${name}', '${table}', 2, ${sql === 'null' ? sql : `'${sql}'`})`;

  test.each<[string, string, RegExp]>([
    ['statistics', 'create table sqlite_stat1 (tbl, idx, stat)', /table=sqlite_stat1/],
    [
      'statistics with a generated column',
      'create table sqlite_stat1 (tbl, idx, stat as (instr(tbl, 1)))',
      /table=sqlite_stat1/,
    ],
    ['statistics in capitals', 'create table SQLITE_STAT1 (tbl, idx, stat)', /table=SQLITE_STAT1/],
    ['a virtual table with a name of SQLite', 'create virtual table sqlite_f using fts3(a)', /table=sqlite_f/],
    ['a virtual table', 'create virtual table notes using fts3(a)', /virtual table.*table=notes/],
    [
      'a trigger on a table of another program',
      'create table a (b); create trigger t after insert on a begin select 1; end',
      /trigger=t/,
    ],
    [
      'a statement with another name',
      row('table', 'notes', 'notes', 'create table sqlite_stat1 (tbl, idx, stat)'),
      /does not create that object: .*; table=notes/,
    ],
    [
      'a statement for another kind',
      row('table', 'notes', 'notes', 'create view notes as select 1'),
      /does not create that object: .*; table=notes/,
    ],
    [
      'a virtual table in words between comments',
      row('table', 'notes', 'notes', 'create/**/virtual--\n table notes using fts3(a)'),
      /virtual table.*table=notes/,
    ],
    [
      'an index of another table',
      row('index', 'i', 'notes', 'create index i on refs (value)'),
      /does not create that object: .*; index=i/,
    ],
    ['an unknown type', row('task', 'notes', 'notes', 'create table notes (a)'), /task=notes/],
    [
      'a row without a statement',
      row('table', 'notes', 'notes', 'null'),
      /does not create that object: .*; table=notes/,
    ],
    ['an automatic index with a wrong name', row('index', 'sqlite_stat1', 'notes', 'null'), /index=sqlite_stat1/],
    [
      'two tables with one name',
      row('table', 'REFS', 'REFS', 'create table REFS (key TEXT PRIMARY KEY, value BLOB NOT NULL)'),
      /one name: .*; table=REFS/,
    ],
    ['two statements', row('table', 'a', 'a', 'create table a (b); drop table refs'), /not valid SQL/],
    [
      'a text with a zero byte',
      `insert into sqlite_schema values ('table', 'a', 'a', 2, 'create table a (b)' || char(0) || ')')`,
      /zero byte/,
    ],
    [
      'a text that is not UTF-8',
      `insert into sqlite_schema values ('table', 'a', 'a', 2, cast(x'ff' as text))`,
      /not UTF-8/,
    ],
    ['a blob instead of a text', `insert into sqlite_schema values ('table', 'a', 'a', 2, x'00')`, /wrong type/],
    [
      'a row of 40 kB',
      `insert into sqlite_schema values ('table', 'a', 'a', 2, printf('create table a (b%.*c)', 40000, 'b'))`,
      /larger/,
    ],
    [
      '600 tables',
      `with recursive n(i) as (select 1 union all select i + 1 from n where i < 600) insert into sqlite_schema select 'table', 't' || i, 't' || i, 2, 'create table t' || i || '(a)' from n`,
      /larger/,
    ],
  ])('%s', async (_, sql, message) => {
    const files = await filesWith(crafted(sql));
    const before = bytesOf(files);
    expect(() => inspectDatabase(files)).toThrow(refusal('Corrupt', message));
    expect(bytesOf(files)).toEqual(before);
  });

  test.each<[string, number, number[], RegExp]>([
    ['schema format 9', 44, [0, 0, 0, 9], /schema format: .*; format=9/],
    ['no schema format', 44, [0, 0, 0, 0], /schema format: .*; format=0/],
    ['texts in UTF-16', 56, [0, 0, 0, 2], /UTF-16le/],
    ['another magic', 0, [83, 0], /not an SQLite database/],
    ['an invalid page size', 16, [3, 0], /header/],
    ['an unknown read version', 19, [3], /header/],
    ['a first page of the wrong kind', 100, [0x0a], /wrong kind/],
    ['more rows than fit into the page', 103, [0xff, 0xff], /outside/],
    ['a row outside of its page', 108, [0x20, 0x00], /outside/],
  ])('%s', async (_, at, bytes, message) => {
    const files = await filesWith([...TABLES, META]);
    files.main.write(Uint8Array.from(bytes), { at });
    expect(() => inspectDatabase(files)).toThrow(refusal('Corrupt', message));
  });

  test('pages that link to each other', async () => {
    const files = await filesWith([...TABLES, META]);
    // The first page links to the second, which links to itself 500 times.
    files.main.write(Uint8Array.from([5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]), { at: 100 });
    const second = new Uint8Array(4096);
    second.set([5, 0, 0, 500 >> 8, 500 & 255, 0, 0, 0, 0, 0, 0, 2]);
    for (let i = 0; i < 500; i++) {
      second.set([4000 >> 8, 4000 & 255], 12 + 2 * i);
    }
    second.set([0, 0, 0, 2, 1], 4000);
    files.main.write(second, { at: 4096 });
    expect(() => inspectDatabase(files)).toThrow(refusal('Corrupt', /wrong kind/));
    expect(files.main.counts.reads).toBeLessThan(3000);
  });
});

describe('a refused database is not changed', () => {
  const open = async (files: MemoryFiles) => {
    const sqlite = await loadSqlite(await nodeSqliteWasm());
    return openSqliteBlockStore(openInspected(sqlite, files, { isNew: false }), files);
  };

  test.each<[string, () => Promise<MemoryFiles>, string]>([
    [
      'with the WAL of another database',
      async () => {
        const files = await filesWith([...TABLES, META]);
        const other = await filesWith(['create table notes (a)'], 'killed', (database) =>
          database.transaction(() => database.exec('insert into notes values (1)')),
        );
        files.wal.write(other.wal.bytes(), { at: 0 });
        return files;
      },
      'Corrupt',
    ],
    [
      'with the WAL of a repository of a newer version',
      () =>
        filesWith([...TABLES, META], 'killed', (database) =>
          database.transaction(() => database.exec(`update meta set value = x'32' where key = 'version'`)),
        ),
      'UnknownVersion',
    ],
    [
      'with a WAL with an invalid DID',
      () =>
        filesWith([...TABLES, META], 'killed', (database) =>
          database.transaction(() => database.exec(`update meta set value = x'32' where key = 'did'`)),
        ),
      'Corrupt',
    ],
    [
      'with the WAL of a repository, without a database',
      async () => {
        const files = await filesWith([...TABLES, META], 'killed', (database) =>
          database.transaction(() => database.exec('create table notes (a)')),
        );
        files.main.truncate(0);
        return files;
      },
      'RepoNotFound',
    ],
    [
      'with the WAL of a repository, beside garbage',
      async () => {
        const files = await filesWith([...TABLES, META], 'killed', (database) =>
          database.transaction(() => database.exec('create table notes (a)')),
        );
        files.main.write(new Uint8Array(files.main.getSize()).fill(7), { at: 0 });
        files.wal.write(Uint8Array.of(0, 0), { at: 100 });
        return files;
      },
      'Corrupt',
    ],
  ])('%s', async (_, make, code) => {
    const files = await make();
    const before = bytesOf(files);
    await expect(open(files)).rejects.toMatchObject({ name: 'RepoError', code });
    expect(bytesOf(files)).toEqual(before);
  });

  test('and the WAL of an accepted database is checkpointed', async () => {
    const made = new MemoryFiles();
    const store = await createStore(made);
    await fill(store);
    const files = new MemoryFiles();
    (['main', 'journal', 'wal'] as const).forEach((name) => files[name].write(made[name].bytes(), { at: 0 }));
    expect(files.wal.getSize()).toBeGreaterThan(0);
    const opened = await open(files);
    expect(files.wal.getSize()).toBe(0);
    expect(await opened.count()).toBe(500);
    await opened.close();
    await store.close();
  });
});
