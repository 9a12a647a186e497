import { beforeAll, describe, expect, test } from 'vitest';
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import { isRepoError } from '../../../src/core/errors.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import { BULK_CACHE_KIBIBYTES } from '../../../src/wasm/database/settings.ts';
import { loadSqlite } from '../../../src/wasm/database/sqlite.ts';
import type { Sqlite } from '../../../src/wasm/database/sqlite.ts';
import { countRows, createTable, fillTable, pragma, valueOf } from './table.ts';

let sqlite: Sqlite;
beforeAll(async () => {
  sqlite = await loadSqlite(await nodeSqliteWasm());
});

const filled = (rows: number, durableOn: 'flush' | 'persist' = 'flush'): MemoryFiles => {
  const files = new MemoryFiles({ durableOn });
  const database = sqlite.open(files);
  createTable(database);
  fillTable(database, rows);
  database.close();
  void files.persist();
  return files;
};

describe('settings', () => {
  test('of files that are durable on flush', () => {
    const database = sqlite.open(new MemoryFiles());
    createTable(database);
    fillTable(database, 1);
    const names = [
      'journal_mode',
      'synchronous',
      'locking_mode',
      'temp_store',
      'trusted_schema',
      'cell_size_check',
      'page_size',
    ];
    expect(names.map((name) => pragma(database, name))).toEqual(['wal', '2', 'exclusive', '2', '0', '1', '4096']);
    database.close();
  });

  test('of files that are durable on persist', () => {
    const database = sqlite.open(new MemoryFiles({ durableOn: 'persist' }));
    createTable(database);
    fillTable(database, 1);
    expect([pragma(database, 'journal_mode'), pragma(database, 'synchronous')]).toEqual(['memory', '0']);
    database.close();
  });
});

describe('lifetime', () => {
  test.each(['flush', 'persist'] as const)(
    'thousands of rows are present after a close, on files durable on %s',
    (durableOn) => {
      const files = filled(5000, durableOn);
      expect([files.wal.getSize(), files.journal.getSize()]).toEqual([0, 0]);
      const database = sqlite.open(files.reopened());
      expect(countRows(database)).toBe(5000);
      expect(database.integrityCheck()).toEqual([]);
      const select = database.prepare('select value from rows where key = ?');
      for (let i = 0; i < 5000; i += 7) {
        select.bindText(1, `row${i}`);
        expect(select.step()).toBe(true);
        expect(Buffer.compare(select.columnBlob(0), valueOf(i)), `row${i}`).toBe(0);
        select.reset();
      }
      database.close();
    },
  );

  test('after a power cut, committed rows are present and others are not', () => {
    const files = filled(100);
    const database = sqlite.open(files);
    fillTable(database, 100, 'committed');
    database.begin();
    database.prepare('insert into rows values (?, ?)').run('uncommitted', valueOf(1));
    for (const left of [files.reopened(), files.afterPowerCut()]) {
      const again = sqlite.open(left);
      expect(countRows(again)).toBe(200);
      expect(again.integrityCheck()).toEqual([]);
      again.close();
      expect(left.wal.getSize()).toBe(0);
    }
    database.close();
    expect(countRows(sqlite.open(files))).toBe(200);
  });

  test('a transaction that spilled out of the cache is undone by a crash', () => {
    const files = filled(100);
    const database = sqlite.open(files);
    database.exec('pragma cache_size=10');
    database.begin();
    database.exec("insert into rows select 'spilled' || a.key || b.key, zeroblob(1000) from rows a, rows b");
    expect(files.wal.getSize()).toBeGreaterThan(1_000_000);
    const again = sqlite.open(files.reopened());
    expect(countRows(again)).toBe(100);
    expect(again.integrityCheck()).toEqual([]);
    again.close();
    database.close();
  });

  test('a transaction that bypasses the WAL spills early, and is undone by a crash', () => {
    const files = filled(100);
    const database = sqlite.open(files);
    // The next transaction uses the WAL.
    database.transaction(() => undefined);
    const cache = pragma(database, 'cache_size');
    const spill = (): void => {
      database.begin();
      database.bypassLog();
      expect(pragma(database, 'cache_size')).toBe(String(-BULK_CACHE_KIBIBYTES));
      database.exec("insert into rows select 'spilled' || a.key || b.key, zeroblob(2000) from rows a, rows b");
      expect(files.main.getSize()).toBeGreaterThan(8_000_000);
    };
    spill();
    for (const left of [files.reopened(), files.afterPowerCut()]) {
      const again = sqlite.open(left);
      expect(countRows(again)).toBe(100);
      expect(again.integrityCheck()).toEqual([]);
      again.close();
    }
    database.rollback();
    database.begin();
    expect(pragma(database, 'cache_size')).toBe(cache);
    database.rollback();
    spill();
    database.commit();
    expect(pragma(database, 'cache_size')).toBe(cache);
    const again = sqlite.open(files.afterPowerCut());
    expect(countRows(again)).toBe(10_100);
    again.close();
    database.close();
  });

  test('a hot journal is rolled back', () => {
    const files = filled(100);
    const database = sqlite.open(files);
    // As another program writes it, and is then killed.
    database.exec('pragma journal_mode=truncate');
    database.exec('pragma cache_size=10');
    database.begin();
    database.exec("insert into rows select 'spilled' || a.key || b.key, zeroblob(1000) from rows a, rows b");
    expect(files.journal.getSize()).toBeGreaterThan(0);
    const left = files.reopened();
    const again = sqlite.open(left);
    expect(countRows(again)).toBe(100);
    expect(again.integrityCheck()).toEqual([]);
    again.close();
    expect(left.journal.getSize()).toBe(0);
    database.rollback();
    database.close();
  });

  test('closed without a commit, the file is byte for byte unchanged', () => {
    const before = filled(100).main.bytes();
    const files = filled(100).reopened();
    const database = sqlite.open(files);
    expect(countRows(database)).toBe(100);
    database.begin();
    database.exec("insert into rows select 'spilled' || a.key || b.key, zeroblob(10000) from rows a, rows b");
    database.rollback();
    database.close();
    expect(Buffer.compare(files.main.bytes(), before)).toBe(0);
    expect([files.wal.getSize(), files.journal.getSize()]).toEqual([0, 0]);
  });

  test('a commit flushes twice at most, the first one too', () => {
    const files = filled(100).reopened();
    const database = sqlite.open(files);
    const flushes = (): number => files.main.counts.flushes + files.journal.counts.flushes + files.wal.counts.flushes;
    for (let i = 0; i < 5; i++) {
      const before = flushes();
      fillTable(database, 1, `more${i}`);
      expect(flushes() - before).toBeLessThanOrEqual(i === 0 ? 2 : 1);
    }
    database.close();
  });

  test('opening and reading write nothing, and opening reads a few pages of 100 MB', () => {
    const files = new MemoryFiles();
    const database = sqlite.open(files);
    createTable(database);
    const insert = database.prepare('insert into rows values (?, ?)');
    const megabyte = new Uint8Array(1 << 20);
    for (let i = 0; i < 100; i++) {
      insert.run(`large${i}`, megabyte);
    }
    database.close();
    const opened = files.reopened();
    expect(opened.main.getSize()).toBeGreaterThan(100 << 20);
    const again = sqlite.open(opened);
    expect(opened.main.counts.bytesRead).toBeLessThan(10 * 4096);
    const select = again.prepare('select length(value) from rows where key = ?');
    select.bindText(1, 'large50');
    expect(select.step()).toBe(true);
    expect(opened.main.counts.bytesRead).toBeLessThan(20 * 4096);
    again.close();
    expect([opened.main.counts.writes, opened.wal.counts.writes, opened.journal.counts.writes]).toEqual([0, 0, 0]);
  });

  test('large sorts need no temporary file', () => {
    const database = sqlite.open(new MemoryFiles());
    createTable(database);
    fillTable(database, 3000);
    const select = database.prepare(
      'select a.key, b.value from rows a, rows b where b.rowid < 40 order by b.value, a.key desc',
    );
    let rows = 0;
    while (select.step()) {
      rows++;
    }
    expect(rows).toBe(3000 * 39);
    database.exec('vacuum');
    expect(database.integrityCheck()).toEqual([]);
    database.close();
  });

  test('a second close does nothing, and everything else is Closed', () => {
    const files = new MemoryFiles();
    const database = sqlite.open(files);
    database.close();
    database.close();
    const calls = [
      () => database.exec('select 1'),
      () => database.prepare('select 1'),
      () => database.begin(),
      () => database.integrityCheck(),
      () => database.changes,
    ];
    for (const call of calls) {
      expect(call).toThrow(expect.toSatisfy((error) => isRepoError(error, 'Closed')));
    }
  });

  test('a file that is not a database is Corrupt and stays unchanged', () => {
    const files = new MemoryFiles();
    files.main.write(new Uint8Array(8192).fill(65), { at: 0 });
    expect(() => sqlite.open(files)).toThrow(expect.toSatisfy((error) => isRepoError(error, 'Corrupt')));
    expect(files.main.bytes()).toEqual(new Uint8Array(8192).fill(65));
  });

  test('the check reports damaged pages', () => {
    const files = filled(2000);
    files.main.write(new Uint8Array(4096).fill(255), { at: 5 * 4096 });
    const database = sqlite.open(files);
    expect(database.integrityCheck()).not.toEqual([]);
    expect(() => database.exec('select sum(length(value)) from rows')).toThrow(
      expect.toSatisfy((error) => isRepoError(error, 'Corrupt')),
    );
    database.close();
  });
});

describe('transactions', () => {
  test('return the result of `run`, and count changes', () => {
    const database = sqlite.open(filled(10));
    expect(
      database.transaction(() => {
        expect(database.inTransaction).toBe(true);
        database.exec("delete from rows where key < 'row5'");
        return database.changes;
      }),
    ).toBe(5);
    expect(database.inTransaction).toBe(false);
    database.close();
  });

  test('roll back when they throw, and rethrow the error', () => {
    const database = sqlite.open(filled(10));
    const error = new Error('on purpose');
    expect(() =>
      database.transaction(() => {
        database.exec('delete from rows');
        throw error;
      }),
    ).toThrow(error);
    expect(database.inTransaction).toBe(false);
    expect(countRows(database)).toBe(10);
    database.close();
  });

  test('that are open at close are rolled back', () => {
    const files = filled(10);
    const database = sqlite.open(files);
    database.begin();
    database.exec('delete from rows');
    database.close();
    expect(countRows(sqlite.open(files))).toBe(10);
  });

  test('do not nest; the outer transaction continues', () => {
    const database = sqlite.open(filled(10));
    database.begin();
    database.exec("delete from rows where key = 'row1'");
    expect(() => database.begin()).toThrow(/within a transaction/);
    database.commit();
    expect(countRows(database)).toBe(9);
    database.close();
  });

  test('cost one flush each', () => {
    const files = filled(10);
    const database = sqlite.open(files);
    fillTable(database, 1, 'first');
    const before = files.wal.counts.flushes + files.main.counts.flushes + files.journal.counts.flushes;
    for (let i = 0; i < 20; i++) {
      fillTable(database, 1, `next${i}-`);
    }
    expect(files.wal.counts.flushes + files.main.counts.flushes + files.journal.counts.flushes - before).toBe(20);
    database.close();
  });
});
