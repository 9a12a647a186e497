/** A table for the tests of SQLite, and functions to fill and count it. */
import { spawnSync } from 'node:child_process';
import type { Database } from '../../../src/wasm/database/database.ts';

export const hasSqlite3: boolean = spawnSync('sqlite3', ['--version']).status === 0;

export const createTable = (database: Database): void =>
  database.exec('create table rows (key text primary key, value blob not null)');

/** Returns the value of a row of {@link fillTable}. */
export const valueOf = (i: number): Uint8Array<ArrayBuffer> => new Uint8Array(100 + (i % 100)).fill(i % 251);

/** Adds rows `<name><i>` in one transaction. */
export const fillTable = (database: Database, count: number, name = 'row'): void => {
  const insert = database.prepare('insert into rows values (?, ?)');
  database.transaction(() => {
    for (let i = 0; i < count; i++) {
      insert.run(`${name}${i}`, valueOf(i));
    }
  });
  insert.finalize();
};

export const countRows = (database: Database): number => {
  const statement = database.prepare('select count(*) from rows');
  const count = statement.step() ? statement.columnInt(0) : -1;
  statement.finalize();
  return count;
};

/** Returns the settings of a connection. */
export const pragma = (database: Database, name: string): string => {
  const statement = database.prepare(`pragma ${name}`);
  const value = statement.step() ? statement.columnText(0) : '';
  statement.finalize();
  return value;
};
