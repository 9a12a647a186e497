/** `openDatabase` of the entry point for Node. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KeyValueTable, openDatabase } from '../../../src/node.ts';
import type { FolderDatabase } from '../../../src/node.ts';
import { hasSqlite3, inFolder, sqlite3 } from '../sqlite/open-database.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Uses the database of a folder, and closes it. */
const using = async <T>(
  folder: string,
  options: { readonly create?: boolean },
  use: (database: FolderDatabase) => T | Promise<T>,
): Promise<T> => {
  const database = await openDatabase(folder, options);
  try {
    return await use(database);
  } finally {
    await database.close();
  }
};

test('a table exists after reopening, and any SQLite reads it', () =>
  inFolder(async (parent) => {
    const folder = join(parent, 'deep', 'drafts');
    await using(folder, { create: true }, (database) => {
      const table = new KeyValueTable(database, 'drafts');
      table.create();
      database.transaction(() => {
        table.put('a', bytes('first'));
        table.put('b', bytes('second'));
      });
      expect(() =>
        database.transaction(() => {
          table.delete('a');
          throw new Error('on second thoughts');
        }),
      ).toThrow('on second thoughts');
    });
    await using(folder, {}, (database) => {
      const table = new KeyValueTable(database, 'drafts');
      expect([...table.iterate()].map(([key, value]) => `${key} ${new TextDecoder().decode(value)}`)).toEqual([
        'a first',
        'b second',
      ]);
      const statement = database.prepare('select count(*) from drafts');
      expect(statement.step() && statement.columnInt(0)).toBe(2);
      statement.finalize();
    });
    expect(existsSync(join(folder, 'pds.lock'))).toBe(false);
    if (hasSqlite3) {
      expect(sqlite3(join(folder, 'pds.db'), 'pragma integrity_check; select key from drafts order by key')).toEqual([
        'ok',
        'a',
        'b',
      ]);
    }
  }));

test('a database has one owner at a time', () =>
  inFolder(async (folder) => {
    const database = await openDatabase(folder, { create: true });
    database.exec('create table t (x)');
    await expect(openDatabase(folder)).rejects.toMatchObject({ code: 'Locked' });
    await database.close();
    await database.close();
    expect(() => database.exec('select 1')).toThrow(expect.objectContaining({ code: 'Closed' }));
    await using(folder, {}, (again) => again.exec('insert into t values (1)'));
  }));

test('create refuses an existing database, the default refuses a missing one, and a damaged file leaves no lock', () =>
  inFolder(async (folder) => {
    await expect(openDatabase(join(folder, 'none'))).rejects.toMatchObject({ code: 'RepoNotFound' });
    await using(join(folder, 'some'), { create: true }, (database) => database.exec('create table t (x)'));
    await expect(openDatabase(join(folder, 'some'), { create: true })).rejects.toMatchObject({ code: 'RepoExists' });
    mkdirSync(join(folder, 'text'));
    writeFileSync(join(folder, 'text', 'pds.db'), 'Dear sir or madam,\n'.repeat(1000));
    await expect(openDatabase(join(folder, 'text'))).rejects.toMatchObject({ code: 'Corrupt' });
    expect(existsSync(join(folder, 'text', 'pds.lock'))).toBe(false);
  }));
