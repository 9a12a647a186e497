import { beforeAll, beforeEach, expect, test } from 'vitest';
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import { isRepoError } from '../../../src/core/errors.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import type { Database } from '../../../src/wasm/database/database.ts';
import { loadSqlite } from '../../../src/wasm/database/sqlite.ts';
import type { Sqlite } from '../../../src/wasm/database/sqlite.ts';
import { seeded } from '../../random/seeded.ts';
import { createTable } from './table.ts';

let sqlite: Sqlite;
let database: Database;
beforeAll(async () => {
  sqlite = await loadSqlite(await nodeSqliteWasm());
});
beforeEach(() => {
  database = sqlite.open(new MemoryFiles());
  createTable(database);
  return () => database.close();
});

/** Returns a bound value as SQLite returns it. */
const echo = (value: string | number | Uint8Array | undefined): unknown => {
  const select = database.prepare('select ?1, ?1');
  if (typeof value === 'string') {
    select.bindText(1, value);
  } else if (typeof value === 'number') {
    select.bindInt(1, value);
  } else if (value !== undefined) {
    select.bindBlob(1, value);
  }
  select.step();
  const type = select.columnType(1);
  const read = {
    text: () => select.columnText(1),
    integer: () => select.columnInt(1),
    real: () => select.columnInt(1),
    blob: () => select.columnBlob(1),
    null: () => undefined,
  };
  const result = read[type]();
  select.finalize();
  return result;
};

test.each([
  '',
  'a',
  'é',
  '\u{1f600}',
  '\ufeffmark',
  'zero\0inside',
  'x'.repeat(100_000),
  'é'.repeat(50_000),
  0,
  1,
  -1,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  undefined,
])('a bound value is read unchanged (%#)', (value) => {
  expect(echo(value)).toEqual(value);
});

test.each([0, 1, 255, 256, 257, 8192, 8193, 1 << 20])('%i bound bytes are read unchanged, never as NULL', (length) => {
  const bytes = new Uint8Array(length).map((_, i) => i % 253);
  const result = echo(bytes);
  // Compared as buffers, because comparing two megabytes element by element takes seconds.
  expect(result instanceof Uint8Array && Buffer.compare(result, bytes)).toBe(0);
});

test('integers beyond 32 bits are stored as integers', () => {
  database.exec('create table numbers (n integer)');
  const insert = database.prepare('insert into numbers values (?)');
  insert.run(2 ** 40 + 1);
  const select = database.prepare('select n, typeof(n) from numbers where n = ?');
  select.bindInt(1, 2 ** 40 + 1);
  expect(select.step()).toBe(true);
  expect([select.columnInt(0), select.columnText(1)]).toEqual([2 ** 40 + 1, 'integer']);
});

test('a number that is not a safe integer is a TypeError', () => {
  const select = database.prepare('select ?');
  for (const value of [1.5, Number.NaN, Infinity, 2 ** 53]) {
    expect(() => select.bindInt(1, value)).toThrow(TypeError);
  }
});

test('bound values are copies, and so are the results', () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const insert = database.prepare('insert into rows values (?, ?)');
  insert.bindText(1, 'a');
  insert.bindBlob(2, bytes);
  bytes.fill(9);
  insert.step();
  insert.reset();

  const select = database.prepare('select value from rows');
  select.step();
  const result = select.columnBlob(0);
  expect(result).toEqual(new Uint8Array([1, 2, 3]));
  result.fill(8);
  expect(select.columnBlob(0)).toEqual(new Uint8Array([1, 2, 3]));
  expect(result.buffer.byteLength).toBe(3);
  select.reset();
  insert.run('b', new Uint8Array(1000));
  expect(result).toEqual(new Uint8Array([8, 8, 8]));
});

test('a reset clears the bindings', () => {
  const select = database.prepare('select ?, ?');
  select.bindText(1, 'first');
  select.bindText(2, 'second');
  select.step();
  select.reset();
  select.bindText(1, 'a text that is longer than both of the first two were');
  select.step();
  expect([select.columnText(0), select.columnIsNull(1)]).toEqual([
    'a text that is longer than both of the first two were',
    true,
  ]);
});

test.each([1, 2, 3])('a statement used thousands of times keeps its values separate; seed=%i', (seed) => {
  const random = seeded(seed);
  const insert = database.prepare('insert or replace into rows values (?, ?)');
  const select = database.prepare('select value from rows where key = ?');
  const expected = new Map<string, Uint8Array>();
  database.begin();
  for (let i = 0; i < 3000; i++) {
    const key = `${'k'.repeat(Math.floor(random() * 300))}${Math.floor(random() * 500)}`;
    const value = new Uint8Array(Math.floor(random() ** 8 * 40_000)).fill(i % 256);
    expected.set(key, value);
    insert.bindText(1, key);
    insert.bindBlob(2, value);
    expect(insert.step()).toBe(false);
    insert.reset();
  }
  database.commit();
  for (const [key, value] of expected) {
    select.bindText(1, key);
    expect(select.step(), key).toBe(true);
    expect(Buffer.compare(select.columnBlob(0), value), key).toBe(0);
    select.reset();
  }
});

test('memory that grows during a statement keeps bound values and results', () => {
  const insert = database.prepare('insert into rows values (?, ?)');
  const large = new Uint8Array(48 << 20).fill(5);
  insert.bindText(1, 'bound before the memory grew');
  insert.bindBlob(2, large);
  insert.step();
  insert.reset();
  const select = database.prepare('select key, value from rows');
  expect(select.step()).toBe(true);
  expect(select.columnText(0)).toBe('bound before the memory grew');
  expect(Buffer.compare(select.columnBlob(1), large)).toBe(0);
});

test('exactly one statement is prepared, not zero or two', () => {
  for (const sql of ['', '  ', '-- nothing', 'select 1; select 2']) {
    expect(() => database.prepare(sql), sql).toThrow(TypeError);
  }
  expect(database.statementCount).toBe(0);
  database.prepare('select 1;').finalize();
});

test('an SQL error names its code and leaves the statement usable', () => {
  expect(() => database.prepare('select a from nowhere')).toThrow(/no such table: nowhere; code=SQLITE_ERROR/);
  const insert = database.prepare('insert into rows values (?, ?)');
  insert.run('a', new Uint8Array(1));
  expect(() => insert.run('a', new Uint8Array(1))).toThrow(/code=SQLITE_CONSTRAINT/);
  insert.run('b', new Uint8Array(1));
  expect(() => insert.bindInt(3, 1)).toThrow(/code=SQLITE_RANGE/);
});

test('finalized statements are not counted, and reject calls', () => {
  const select = database.prepare('select 1');
  expect(database.statementCount).toBe(1);
  select.finalize();
  select.finalize();
  select.reset();
  expect(database.statementCount).toBe(0);
  expect(() => select.step()).toThrow(expect.toSatisfy((error) => isRepoError(error, 'Closed')));
});

test('close finalizes all statements', () => {
  const select = database.prepare('select 1 union select 2');
  select.step();
  database.close();
  expect(() => select.step()).toThrow(expect.toSatisfy((error) => isRepoError(error, 'Closed')));
  select.finalize();
});
