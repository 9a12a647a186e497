/** Shrinking and rewriting: deleted data is erased. */
import { beforeAll, describe, expect, test } from 'vitest';
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import type { Database } from '../../../src/wasm/database/database.ts';
import { loadSqlite } from '../../../src/wasm/database/sqlite.ts';
import type { Sqlite } from '../../../src/wasm/database/sqlite.ts';
import type { DatabaseFiles, SyncFile } from '../../../src/wasm/vfs/database-files.ts';
import { countRows, createTable, fillTable, pragma } from './table.ts';

let sqlite: Sqlite;
beforeAll(async () => {
  sqlite = await loadSqlite(await nodeSqliteWasm());
});

const bytesOf = (file: SyncFile): Buffer => {
  const bytes = Buffer.alloc(file.getSize());
  file.read(bytes, { at: 0 });
  return bytes;
};

const holds = (files: MemoryFiles, text: string): boolean =>
  [files.main, files.wal, files.journal].some((file) => bytesOf(file).includes(text));

const exec = (database: Database, sql: string): void => database.transaction(() => database.exec(sql));

const opened = (durableOn: 'flush' | 'persist', rows = 5000): { files: MemoryFiles; database: Database } => {
  const files = new MemoryFiles({ durableOn });
  const database = sqlite.open(files);
  createTable(database);
  fillTable(database, rows);
  return { files, database };
};

/** The files of a database without `auto_vacuum`, as older versions of pdsdb wrote it. */
const older = (durableOn: 'flush' | 'persist'): MemoryFiles => {
  const files = new MemoryFiles({ durableOn });
  const database = sqlite.open(files);
  exec(database, 'pragma user_version=1');
  database.close();
  // The largest root page and the flag of the incremental vacuum, in the header of a database without tables.
  files.main.write(new Uint8Array(4), { at: 52 });
  files.main.write(new Uint8Array(4), { at: 64 });
  void files.persist();
  return files.reopened();
};

describe.each(['flush', 'persist'] as const)('files durable on %s', (durableOn) => {
  test('a new database can be shrunk, and opening it again writes nothing', () => {
    const { files, database } = opened(durableOn, 10);
    expect(pragma(database, 'auto_vacuum')).toBe('2');
    database.close();
    const before = bytesOf(files.main);
    const again = sqlite.open(files);
    expect(pragma(again, 'auto_vacuum')).toBe('2');
    again.close();
    expect(bytesOf(files.main).equals(before)).toBe(true);
  });

  test('free pages are truncated, and the WAL is empty', () => {
    const { files, database } = opened(durableOn);
    const size = database.space.size;
    exec(database, 'delete from rows where rowid > 500');
    expect(database.space.free).toBeGreaterThan(size / 2);
    database.shrink();
    expect(database.space.free).toBe(0);
    expect(files.main.getSize()).toBe(database.space.size);
    expect(files.main.getSize()).toBeLessThan(size / 4);
    expect(files.wal.getSize()).toBe(0);
    expect(countRows(database)).toBe(500);
    expect(database.integrityCheck()).toEqual([]);
    database.close();
  });

  test('deleted data is in no file', () => {
    const { files, database } = opened(durableOn);
    const secret = 'a secret that nobody is to read again';
    exec(database, `insert into rows values ('secret', cast('${secret}' as blob))`);
    exec(database, `insert into rows values ('long', cast(hex(zeroblob(9000)) || '${secret}' as blob))`);
    exec(database, `delete from rows where key in ('secret', 'long')`);
    database.shrink();
    expect(holds(files, secret)).toBe(false);
    database.close();
    expect(holds(files, secret)).toBe(false);
  });

  test('a rewritten database is compact, and usable', () => {
    const { files, database } = opened(durableOn);
    exec(database, 'delete from rows where rowid % 2 = 0');
    database.shrink();
    const size = files.main.getSize();
    database.rewrite();
    expect(files.main.getSize()).toBeLessThan(0.7 * size);
    expect(files.main.getSize()).toBe(database.space.size);
    expect([files.wal.getSize(), database.space.free]).toEqual([0, 0]);
    expect(countRows(database)).toBe(2500);
    expect(database.integrityCheck()).toEqual([]);
    exec(database, `insert into rows values ('more', 'x')`);
    database.close();
    const again = sqlite.open(files);
    expect(countRows(again)).toBe(2501);
    again.close();
  });

  test('a database of an older version can be shrunk after a rewrite', () => {
    const files = older(durableOn);
    const database = sqlite.open(files);
    createTable(database);
    fillTable(database, 3000);
    expect(pragma(database, 'auto_vacuum')).toBe('0');
    exec(database, 'delete from rows where rowid > 100');
    const { size, free } = database.space;
    database.shrink();
    expect(database.space).toEqual({ size, free });
    database.rewrite();
    expect(pragma(database, 'auto_vacuum')).toBe('2');
    expect(database.space.size).toBeLessThan(size / 4);
    expect(countRows(database)).toBe(100);
    expect(database.integrityCheck()).toEqual([]);
    database.close();
    void files.persist();
    const again = sqlite.open(files.reopened());
    expect([pragma(again, 'auto_vacuum'), countRows(again)]).toEqual(['2', 100]);
    again.close();
  });
});

/** The same files. The WAL calls `onWrite` before each write. */
const watched = (files: MemoryFiles, onWrite: (end: number) => void): DatabaseFiles => ({
  main: files.main,
  journal: files.journal,
  wal: {
    read: (buffer, options) => files.wal.read(buffer, options),
    write(buffer, options) {
      onWrite(options.at + buffer.length);
      return files.wal.write(buffer, options);
    },
    truncate: (size) => files.wal.truncate(size),
    getSize: () => files.wal.getSize(),
    flush: () => files.wal.flush(),
  },
  durableOn: 'flush',
  persist: () => files.persist(),
  close: () => files.close(),
  [Symbol.asyncDispose]: () => files.close(),
});

test('a file without free pages takes at most 2.2 times its size while it is rewritten', () => {
  const { files, database } = opened('flush');
  database.rewrite();
  database.close();
  const { size } = { size: files.main.getSize() };
  let most = 0;
  const again = sqlite.open(
    watched(files, () => {
      most = Math.max(most, files.main.getSize() + files.wal.getSize() + files.journal.getSize());
    }),
  );
  again.rewrite();
  expect(most).toBeGreaterThan(1.5 * size);
  expect(most).toBeLessThan(2.2 * size);
  expect(files.main.getSize()).toBe(size);
  again.close();
});

test.each([100, 5000, 100_000, 400_000])('a disk that is full after %i bytes leaves the file unchanged', (room) => {
  const { files, database } = opened('flush');
  database.close();
  let isFull = true;
  const again = sqlite.open(
    watched(files, (end) => {
      if (isFull && end > room) {
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      }
    }),
  );
  const before = bytesOf(files.main);
  expect(() => again.rewrite()).toThrow(expect.objectContaining({ code: 'StorageFull' }));
  expect(bytesOf(files.main).equals(before)).toBe(true);
  expect(files.wal.getSize()).toBe(0);
  expect(countRows(again)).toBe(5000);
  isFull = false;
  exec(again, `insert into rows values ('more', 'x')`);
  again.rewrite();
  expect(countRows(again)).toBe(5001);
  expect(again.integrityCheck()).toEqual([]);
  again.close();
});
