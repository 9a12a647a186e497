/** Loading, and databases as files on a disk. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import initSqlJs from 'sql.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import type { DatabaseFiles, SyncFile } from '../../../src/wasm/vfs/database-files.ts';
import { HEAP_LIMIT } from '../../../src/wasm/database/settings.ts';
import { loadSqlite } from '../../../src/wasm/database/sqlite.ts';
import type { Sqlite } from '../../../src/wasm/database/sqlite.ts';
import { countRows, createTable, fillTable, hasSqlite3 } from './table.ts';

let sqlite: Sqlite;
beforeAll(async () => {
  sqlite = await loadSqlite(await nodeSqliteWasm());
});

describe('loading', () => {
  test('happens once per process', async () => {
    const module = await nodeSqliteWasm();
    expect(await nodeSqliteWasm()).toBe(module);
    expect(await loadSqlite(module)).toBe(sqlite);
  });

  test('does not disturb a program that also uses sql.js', async () => {
    const SQL = (await initSqlJs({ instantiateWasm: () => ({}) })) as {
      Database: new () => {
        run(sql: string): void;
        exec(sql: string): { values: unknown[][] }[];
        export(): Uint8Array;
        close(): void;
      };
    };
    const theirs = new SQL.Database();
    theirs.run('create table t (a)');
    theirs.run("insert into t values ('theirs')");
    expect(theirs.exec('select a from t')[0]!.values).toEqual([['theirs']]);
    expect(theirs.export().length).toBeGreaterThan(0);
    theirs.close();
  });
});

describe('databases', () => {
  test('several are open at once and do not see each other', () => {
    const all = Array.from({ length: 5 }, () => new MemoryFiles());
    const databases = all.map((files) => sqlite.open(files));
    databases.forEach((database, i) => {
      createTable(database);
      fillTable(database, 100 * (i + 1));
    });
    expect(databases.map(countRows)).toEqual([100, 200, 300, 400, 500]);
    databases[2]!.close();
    fillTable(databases[4]!, 100, 'more');
    expect(countRows(databases[4]!)).toBe(600);
    expect(countRows(databases[0]!)).toBe(100);
    databases.forEach((database) => database.close());
    expect(all.map((files) => files.wal.getSize() + files.journal.getSize())).toEqual([0, 0, 0, 0, 0]);
  });

  test("a statement that exceeds SQLite's memory fails, and the next one works", () => {
    const database = sqlite.open(new MemoryFiles());
    database.exec('create table numbers (a); insert into numbers values (1)');
    expect(() => database.exec(`select zeroblob(${HEAP_LIMIT}) || a from numbers`)).toThrow(
      expect.objectContaining({ code: 'StorageFailed', message: expect.stringMatching(/NOMEM/) }),
    );
    const statement = database.prepare('select a from numbers');
    expect(statement.step()).toBe(true);
    database.close();
  });

  test('ATTACH opens no other file', () => {
    const database = sqlite.open(new MemoryFiles());
    expect(() => database.exec("attach 'pdsdb-999999999' as other")).toThrow(/code=SQLITE_CANTOPEN/);
    database.close();
  });
});

/** A minimal SyncFile over a descriptor. */
const diskFile = (path: string): SyncFile & { close(): void } => {
  const fd = openSync(path, 'a+');
  closeSync(fd);
  const handle = openSync(path, 'r+');
  return {
    read: (buffer, { at }) => readSync(handle, buffer, 0, buffer.length, at),
    write: (buffer, { at }) => writeSync(handle, buffer, 0, buffer.length, at),
    truncate: (size) => ftruncateSync(handle, size),
    getSize: () => fstatSync(handle).size,
    flush: () => fdatasyncSync(handle),
    close: () => closeSync(handle),
  };
};

describe.skipIf(!hasSqlite3)(hasSqlite3 ? 'on a disk' : 'on a disk (skipped: there is no sqlite3 command)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pdsdb-sqlite-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'pds.db');
  const sqlite3 = (sql: string): string => execFileSync('sqlite3', [path, sql], { encoding: 'utf8' }).trim();

  const openDisk = (): { files: DatabaseFiles; closeFiles: () => void } => {
    const [main, journal, wal] = ['', '-journal', '-wal'].map((suffix) => diskFile(path + suffix));
    const close = (): Promise<void> => Promise.resolve();
    return {
      files: {
        main: main!,
        journal: journal!,
        wal: wal!,
        durableOn: 'flush',
        persist: close,
        close,
        [Symbol.asyncDispose]: close,
      },
      closeFiles: () => [main!, journal!, wal!].forEach((file) => file.close()),
    };
  };

  test('the sqlite3 command reads a closed database', () => {
    const { files, closeFiles } = openDisk();
    const database = sqlite.open(files);
    createTable(database);
    fillTable(database, 5000);
    database.transaction(() =>
      database.prepare('insert into rows values (?, ?)').run('large', new Uint8Array(1 << 20).fill(7)),
    );
    expect(files.wal.getSize()).toBeGreaterThan(1 << 20);
    database.close();
    expect([files.wal.getSize(), files.journal.getSize()]).toEqual([0, 0]);
    closeFiles();
    rmSync(`${path}-wal`);
    rmSync(`${path}-journal`);
    expect(sqlite3('pragma integrity_check')).toBe('ok');
    expect(sqlite3('pragma journal_mode')).toBe('delete');
    expect(sqlite3('pragma page_size')).toBe('4096');
    expect(sqlite3('select count(*), max(length(value)) from rows')).toBe(`5001|${1 << 20}`);
  });

  test('after a crash, the sqlite3 command reads the WAL, although the header is plain', () => {
    const { files, closeFiles } = openDisk();
    const database = sqlite.open(files);
    fillTable(database, 10, 'before the crash');
    const wal = files.wal.getSize();
    expect(wal).toBeGreaterThan(0);
    const copy = join(folder, 'copy.db');
    for (const suffix of ['', '-wal']) {
      copyFileSync(path + suffix, copy + suffix);
    }
    const count = "select count(*) from rows where key like 'before the crash%'";
    expect(readFileSync(copy).subarray(18, 20)).toEqual(Buffer.from([1, 1]));
    expect(execFileSync('sqlite3', [copy, `pragma integrity_check; ${count}`], { encoding: 'utf8' }).trim()).toBe(
      'ok\n10',
    );
    database.close();
    closeFiles();
    expect(sqlite3(`pragma journal_mode; ${count}`)).toBe('delete\n10');
  });

  test.each(['wal', 'delete'])(
    'a database that the sqlite3 command left in mode %s is read and checkpointed',
    (mode) => {
      sqlite3(`pragma journal_mode=${mode}; insert into rows values ('${mode}', x'01')`);
      const { files, closeFiles } = openDisk();
      const database = sqlite.open(files);
      const statement = database.prepare('select count(*) from rows where key = ?');
      statement.bindText(1, mode);
      expect(statement.step() && statement.columnInt(0)).toBe(1);
      database.close();
      closeFiles();
      expect(sqlite3('pragma journal_mode')).toBe('delete');
      expect(sqlite3('pragma integrity_check')).toBe('ok');
    },
  );
});
