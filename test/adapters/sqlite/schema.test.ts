import { describe, expect, test } from 'vitest';
import { createSchema, openSchema } from '../../../src/adapters/sqlite/schema.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import type { Database } from '../../../src/wasm/database/database.ts';
import { openDatabase } from './open-database.ts';

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
const COLUMNS = '(key TEXT PRIMARY KEY, value BLOB NOT NULL)';

/** Returns a database as another program may have written it. */
const written = async (...sql: readonly string[]): Promise<Database> => {
  const database = await openDatabase();
  database.transaction(() => sql.forEach((statement) => database.exec(statement)));
  return database;
};

const tables = (prefix = '', names = ['blocks', 'commits', 'meta', 'refs']): string[] =>
  names.map((name) => `CREATE TABLE ${prefix}${name} ${COLUMNS}`);

const meta = (did: string, version: string, prefix = ''): string =>
  `insert into ${prefix}meta values ('did', cast('${did}' as blob)), ('version', cast('${version}' as blob))`;

const readAll = (database: Database, sql: string): string[] => {
  const statement = database.prepare(sql);
  const rows: string[] = [];
  while (statement.step()) {
    rows.push(statement.columnText(0));
  }
  statement.finalize();
  return rows;
};

const refusal = (code: string, message: RegExp): unknown =>
  expect.objectContaining({ name: 'RepoError', code, message: expect.stringMatching(message) });

describe('createSchema', () => {
  test('creates four plain tables with the account', async () => {
    const database = await openDatabase();
    expect(createSchema(database, DID)).toEqual({ did: DID, prefix: '', others: [] });
    expect(readAll(database, `select sql from sqlite_schema where type <> 'index' order by name`)).toEqual(tables());
    expect(
      readAll(database, `select key || ' ' || typeof(value) || ' ' || cast(value as text) from meta order by key`),
    ).toEqual([`did blob ${DID}`, 'version blob 1']);
    expect(openSchema(database)).toEqual({ did: DID, prefix: '', others: [] });
  });

  test('refuses a database that is not empty', async () => {
    const database = await written('create table notes (text)');
    expect(() => createSchema(database, DID)).toThrow(refusal('RepoExists', /table=notes/));
    expect(readAll(database, 'select name from sqlite_schema')).toEqual(['notes']);
  });

  test('refuses an invalid DID', async () => {
    const database = await openDatabase();
    expect(() => createSchema(database, 'alice.example.com')).toThrow(refusal('InvalidDid', /alice/));
    expect(readAll(database, 'select name from sqlite_schema')).toEqual([]);
  });

  test('creates all tables or none', async () => {
    const files = new MemoryFiles();
    const database = await openDatabase(files);
    const exec = database.exec.bind(database);
    database.exec = (sql) => {
      if (sql.includes('refs')) {
        throw new Error('no more');
      }
      exec(sql);
    };
    expect(() => createSchema(database, DID)).toThrow('no more');
    expect(readAll(database, 'select name from sqlite_schema')).toEqual([]);
  });
});

describe('openSchema accepts', () => {
  test('tables with the prefix kv_, which other programs use', async () => {
    const database = await written(...tables('kv_'), meta(DID, '1', 'kv_'));
    expect(openSchema(database)).toEqual({ did: DID, prefix: 'kv_', others: [] });
  });

  test.each(['', 'kv_'] as const)('a repository without the history, and adds its table; prefix=%s', async (prefix) => {
    const database = await written(...tables(prefix, ['blocks', 'refs', 'meta']), meta(DID, '1', prefix));
    expect(openSchema(database)).toEqual({ did: DID, prefix, others: [] });
    expect(readAll(database, `select sql from sqlite_schema where name = '${prefix}commits'`)).toEqual(
      tables(prefix, ['commits']),
    );
    expect(openSchema(database)).toEqual({ did: DID, prefix, others: [] });
  });

  test('the same columns in another spelling', async () => {
    const database = await written(
      'create table if not exists "blocks"("key" text primary key,"value" blob not null)',
      'CREATE TABLE [refs] (\n  [key]   TEXT PRIMARY KEY,\n  [value] BLOB NOT NULL\n)',
      `Create Table meta( key Text Primary Key , value Blob Not Null )`,
      meta(DID, '1'),
    );
    expect(openSchema(database).did).toBe(DID);
  });

  test('meta values that are texts', async () => {
    const database = await written(...tables(), `insert into meta values ('did', '${DID}'), ('version', '1')`);
    expect(openSchema(database).did).toBe(DID);
  });

  test('tables, indexes and views of another program, and lists them', async () => {
    const database = await written(
      ...tables(),
      meta(DID, '1'),
      'create table notes (id integer primary key, title text unique, other text check (length(other) < 9)) strict',
      'create table "two words" (a primary key, b default (1 + 1), foreign key (a) references blocks (key)) without rowid',
      'create unique index faster on notes (lower(title)) where title > 5',
      'create view news as select *, cast(value as text) from refs',
      'create table kv_refs (key text primary key, value blob not null)',
      'create table été (ünï /* as ( */, "as" text, "generated always as (1)")',
    );
    expect(openSchema(database).others).toEqual([
      'table=notes',
      'table=two words',
      'index=faster',
      'view=news',
      'table=kv_refs',
      'table=été',
    ]);
  });
});

describe('openSchema refuses', () => {
  test('an empty database, without a write', async () => {
    const files = new MemoryFiles();
    const database = await openDatabase(files);
    expect(() => openSchema(database)).toThrow(refusal('RepoNotFound', /empty/));
    database.close();
    expect(files.main.getSize()).toBe(0);
  });

  test('a newer version, with advice and without a write', async () => {
    const files = new MemoryFiles();
    const first = await openDatabase(files);
    first.transaction(() => {
      // A table that this version does not know is no reason to call a newer repository corrupt.
      [...tables('', ['blocks', 'meta', 'refs', 'records']), meta(DID, '2')].forEach((sql) => first.exec(sql));
    });
    first.close();
    const before = files.main.bytes();
    const database = await openDatabase(files);
    expect(() => openSchema(database)).toThrow(
      refusal('UnknownVersion', /a newer version of pdsdb .* version=2 known=1/),
    );
    database.close();
    expect(files.main.bytes()).toEqual(before);
  });

  test.each(['0', '-1', '1.0', '01', 'one', '', ' 1', '1e9', '9'.repeat(40)])('the version %j', async (version) => {
    const database = await written(...tables(), meta(DID, version));
    expect(() => openSchema(database)).toThrow(refusal('Corrupt', /version=/));
  });

  test('a version or a DID that is missing, of another type, or not UTF-8', async () => {
    const rows: readonly [string, RegExp][] = [
      [`('did', cast('${DID}' as blob))`, /missing: .*; table=meta key=version/],
      [`('version', x'31')`, /missing: .*; table=meta key=did/],
      [`('version', 1)`, /not a blob: .*; table=meta key=version/],
      [`('version', x'ff')`, /not UTF-8: .*; table=meta key=version/],
      [`('version', x'31'), ('did', x'ff')`, /not UTF-8: .*; table=meta key=did/],
      [`('version', x'31'), ('did', cast('alice.example.com' as blob))`, /alice/],
    ];
    for (const [values, message] of rows) {
      const database = await written(...tables(), `insert into meta values ${values}`);
      expect(() => openSchema(database), values).toThrow(refusal('Corrupt', message));
    }
  });

  const strange: readonly [string, RegExp][] = [
    ['create table notes (a, b as (a + 1))', /generated column.* table=notes/],
    ['create table notes (a, b int generated always as (a + 1) stored)', /generated column.* table=notes/],
    ['create table notes (id integer primary key autoincrement)', /table=sqlite_sequence/],
    ['analyze', /table=sqlite_stat1/],
    ['create trigger spy after insert on main.refs begin delete from meta; end', /trigger=spy/],
    ['create unique index faster on refs (value)', /index=faster/],
    [`create index faster on meta (key) where key = 'did'`, /index=faster/],
    ['create index faster on "REFS" (key collate nocase)', /index=faster/],
    ['create index faster on commits (length(value))', /index=faster/],
    ['create trigger spy after insert on refs begin delete from meta; end', /trigger=spy/],
    ['create index faster on blocks (value)', /index=faster/],
    ['create virtual table files using fts3(a)', /table=files/],
  ];

  test.each(strange)('other objects: %s', async (sql, message) => {
    const database = await written(...tables(), meta(DID, '1'), sql);
    expect(() => openSchema(database)).toThrow(refusal('Corrupt', message));
  });

  test.each([
    '(key TEXT PRIMARY KEY COLLATE NOCASE, value BLOB NOT NULL)',
    '(key TEXT PRIMARY KEY, value BLOB)',
    '(key TEXT, value BLOB NOT NULL)',
    '(key BLOB PRIMARY KEY, value BLOB NOT NULL)',
    '(key TEXT PRIMARY KEY, value TEXT NOT NULL)',
    '(key TEXT PRIMARY KEY, value BLOB NOT NULL, more)',
    '(key TEXT PRIMARY KEY, value BLOB NOT NULL UNIQUE)',
    `(key TEXT PRIMARY KEY, value BLOB NOT NULL DEFAULT x'00')`,
    '(key TEXT PRIMARY KEY, value BLOB NOT NULL CHECK (length(value) < 100))',
    '(key TEXT PRIMARY KEY ON CONFLICT REPLACE, value BLOB NOT NULL)',
    '(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID',
    '(value BLOB NOT NULL, key TEXT PRIMARY KEY)',
    '(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT',
    '(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID',
    '(key TEXT PRIMARY KEY, value BLOB NOT NULL, CHECK (true))',
    '(key TEXT PRIMARY KEY, value BLOB NOT NULL COLLATE BINARY)',
    '(key TEXT PRIMARY KEY, value BLOB NOT NULL REFERENCES blocks (key))',
    '(key TEXT PRIMARY KEY, value BLOB NOT NULL, FOREIGN KEY (key) REFERENCES blocks)',
    '(key TEXT, value BLOB NOT NULL, PRIMARY KEY (key))',
    '(key TEXT PRIMARY KEY DESC, value BLOB NOT NULL)',
    '(key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL)',
    '(key TEXT UNIQUE PRIMARY KEY, value BLOB NOT NULL)',
    // SQLite reads the quoted words as part of a name or a type. So there is no primary key, or a value may be NULL.
    '(key TEXT "PRIMARY KEY", value BLOB NOT NULL)',
    '(key TEXT [PRIMARY KEY], value BLOB NOT NULL)',
    '(key TEXT `PRIMARY KEY`, value BLOB NOT NULL)',
    '(key "TEXT PRIMARY KEY", value BLOB NOT NULL)',
    '(key TEXT PRIMARY KEY, value BLOB "NOT NULL")',
    '(key TEXT PRIMARY KEY, value "BLOB NOT NULL")',
    '(key TEXT PRIMARY KEY, value BLOB NOT NULL /* a comment is left out */, "value BLOB NOT NULL")',
    // To SQLite, U+00A0 and U+2003 are not spaces, and U+212A (the Kelvin sign) is not a k.
    '(key TEXT\u00a0PRIMARY\u00a0KEY, value BLOB NOT NULL)',
    '(key TEXT PRIMARY KEY, value BLOB\u00a0NOT\u00a0NULL)',
    '(\u212aey TEXT PRIMARY KEY, value BLOB NOT NULL)',
    '(key TEXT, value BLOB NOT NULL, PRIMARY\u2003KEY)',
  ])('other columns: %s', async (columns) => {
    for (const name of ['blocks', 'commits', 'meta', 'refs']) {
      const others = ['blocks', 'commits', 'meta', 'refs'].filter((other) => other !== name);
      const database = await written(...tables('', others), `create table ${name} ${columns}`);
      if (name !== 'meta') {
        database.exec(meta(DID, '1'));
      }
      expect(() => openSchema(database), name).toThrow(
        refusal('Corrupt', new RegExp(`the table is not .*; table=${name}`)),
      );
    }
  });

  test('a repository that lacks a table', async () => {
    for (const missing of ['blocks', 'refs']) {
      const database = await written(
        ...tables(
          '',
          ['blocks', 'meta', 'refs'].filter((name) => name !== missing),
        ),
        meta(DID, '1'),
      );
      expect(() => openSchema(database)).toThrow(refusal('Corrupt', new RegExp(`missing: .*; table=${missing}`)));
    }
    const database = await written(...tables('', ['blocks', 'refs']));
    expect(() => openSchema(database)).toThrow(refusal('Corrupt', /the table meta is missing.*; table=blocks/));
  });

  test('texts that are not UTF-8', async () => {
    const database = await openDatabase();
    database.exec(`pragma encoding = 'UTF-16le'`);
    [...tables(), meta(DID, '1')].forEach((sql) => database.exec(sql));
    expect(() => openSchema(database)).toThrow(refusal('Corrupt', /encoding=UTF-16le/));
  });
});
