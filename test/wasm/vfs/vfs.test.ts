/** Files that fail, transfer less, or are full: the errors of the database, and its content afterwards. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import { isRepoError, RepoError } from '../../../src/core/errors.ts';
import type { RepoErrorCode } from '../../../src/core/errors.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import type { Database } from '../../../src/wasm/database/database.ts';
import type { DatabaseFiles, SyncFile } from '../../../src/wasm/vfs/database-files.ts';
import { loadSqlite } from '../../../src/wasm/database/sqlite.ts';
import type { Sqlite } from '../../../src/wasm/database/sqlite.ts';
import { countRows, createTable, fillTable, valueOf } from '../database/table.ts';

let sqlite: Sqlite;
beforeAll(async () => {
  sqlite = await loadSqlite(await nodeSqliteWasm());
});

type Operation = Exclude<keyof SyncFile, number>;
/** Called before each operation with its file. A result other than `undefined` replaces that of the operation. */
type Fault = (operation: Operation, file: SyncFile, args: readonly unknown[]) => unknown;

let inner: MemoryFiles;
let fault: Fault | undefined;
let files: DatabaseFiles;
const begin = (): void => {
  inner = new MemoryFiles();
  fault = undefined;
  const faulty = (file: SyncFile): SyncFile => {
    const through =
      (operation: Operation) =>
      (...args: any[]): any => {
        const run = file[operation] as (...args: unknown[]) => unknown;
        return fault?.(operation, file, args) ?? run.apply(file, args);
      };
    return {
      read: through('read'),
      write: through('write'),
      truncate: through('truncate'),
      getSize: through('getSize'),
      flush: through('flush'),
    };
  };
  files = {
    main: faulty(inner.main),
    journal: faulty(inner.journal),
    wal: faulty(inner.wal),
    durableOn: 'flush',
    persist: () => inner.persist(),
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner.close(),
  };
};
beforeEach(begin);

const opened = (rows: number): Database => {
  const database = sqlite.open(files);
  createTable(database);
  fillTable(database, rows);
  return database;
};

const errorOf = (run: () => unknown): RepoError => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(RepoError);
    return error as RepoError;
  }
  throw new Error('nothing was thrown');
};

const platformError = (code: string): Error => Object.assign(new Error(`${code}: the disk says no`), { code });
const quotaError = (): Error => new DOMException('no more room', 'QuotaExceededError');

describe('errors of files', () => {
  const cases: readonly [Operation, Error, RepoErrorCode, string][] = [
    ['read', platformError('EIO'), 'StorageFailed', 'SQLITE_IOERR_READ'],
    ['write', platformError('EIO'), 'StorageFailed', 'SQLITE_IOERR_WRITE'],
    ['write', platformError('ENOSPC'), 'StorageFull', 'SQLITE_FULL'],
    ['write', platformError('EDQUOT'), 'StorageFull', 'SQLITE_FULL'],
    ['write', quotaError(), 'StorageFull', 'SQLITE_FULL'],
    ['flush', platformError('EIO'), 'StorageFailed', 'SQLITE_IOERR_FSYNC'],
  ];
  test.each(cases)('%s throws %s: %s, %s', (operation, cause, code, name) => {
    opened(2000).close();
    const database = sqlite.open(files);
    fault = (called) => {
      if (called === operation) {
        throw cause;
      }
    };
    const error = errorOf(() => (operation === 'read' ? countRows(database) : fillTable(database, 10, 'more')));
    expect([error.code, error.cause]).toEqual([code, cause]);
    expect(error.message).toContain(`code=${name}`);
    fault = undefined;
    if (operation !== 'flush') {
      expect(countRows(database)).toBe(2000);
      fillTable(database, 10, 'again');
      expect(database.integrityCheck()).toEqual([]);
    }
    database.close();
  });

  test('a failed flush is final: nothing is read or written until the files are opened again', () => {
    const database = opened(100);
    const cause = platformError('EIO');
    fault = (operation) => {
      if (operation === 'flush') {
        throw cause;
      }
    };
    expect(errorOf(() => fillTable(database, 10, 'lost')).cause).toBe(cause);
    let touched = 0;
    fault = () => void touched++;
    const calls = [
      () => countRows(database),
      () => fillTable(database, 1, 'x'),
      () => database.begin(),
      () => database.rollback(),
      () => database.integrityCheck(),
    ];
    for (const call of calls) {
      expect(errorOf(call)).toMatchObject({ code: 'StorageFailed', cause });
    }
    database.close();
    expect(touched).toBe(0);
    const again = sqlite.open(inner.afterPowerCut());
    expect(countRows(again)).toBe(100);
    expect(again.integrityCheck()).toEqual([]);
    again.close();
    // The same files may also have the change whose flush failed, complete or not at all.
    fault = undefined;
    expect([100, 110]).toContain(countRows(sqlite.open(files)));
  });

  test('a transaction that failed takes nothing more until it is rolled back', () => {
    const database = opened(100);
    database.exec('pragma cache_size=5');
    const insert = database.prepare('insert into rows values (?, ?)');
    database.begin();
    fault = (operation) => {
      if (operation === 'write') {
        throw platformError('ENOSPC');
      }
    };
    const first = errorOf(() => {
      for (let i = 0; i < 1000; i++) {
        insert.run(`full${i}`, valueOf(99));
      }
    });
    expect(first.code).toBe('StorageFull');
    fault = undefined;
    expect(errorOf(() => insert.run('after', valueOf(1)))).toMatchObject({ code: 'StorageFailed', cause: first });
    expect(errorOf(() => database.commit()).cause).toBe(first);
    expect(database.inTransaction).toBe(false);
    expect(countRows(database)).toBe(100);
    fillTable(database, 5, 'next');
    database.close();
    expect(countRows(sqlite.open(files))).toBe(105);
  });

  test('the next opening does not find a failed commit, however much of it was written', () => {
    const database = opened(100);
    for (let room = 0; room < 40_000; room += 500) {
      fault = (operation, file, args) => {
        if (operation === 'write' && file === inner.wal) {
          const [buffer, options] = args as [Uint8Array, { at: number }];
          file.write(buffer.subarray(0, room), options);
          throw platformError('ENOSPC');
        }
      };
      expect(errorOf(() => fillTable(database, 10, 'refused')).code).toBe('StorageFull');
      fault = undefined;
      const found = sqlite.open(inner.reopened());
      expect([room, countRows(found)]).toEqual([room, 100]);
      expect(found.integrityCheck()).toEqual([]);
      found.close();
    }
    fillTable(database, 10, 'taken');
    expect(countRows(sqlite.open(inner.reopened()))).toBe(110);
    database.close();
  });

  test('a failed commit that cannot be truncated makes the database unusable', () => {
    const database = opened(100);
    fault = (operation, file, args) => {
      if (operation === 'write' && file === inner.wal) {
        file.write(...(args as [Uint8Array, { at: number }]));
      }
      if (operation === 'write' || operation === 'truncate') {
        throw platformError('ENOSPC');
      }
    };
    expect(errorOf(() => fillTable(database, 10, 'refused')).code).toBe('StorageFull');
    fault = undefined;
    expect(errorOf(() => countRows(database)).code).toBe('StorageFailed');
    database.close();
    expect([100, 110]).toContain(countRows(sqlite.open(files)));
  });

  test('the padding after a commit survives the next transaction, which fails', () => {
    const database = opened(10);
    fault = (operation) => (operation === 'write' ? 0 : undefined);
    expect(errorOf(() => fillTable(database, 10, 'more')).code).toBe('StorageFull');
    fault = undefined;
    expect(countRows(database)).toBe(10);
    database.close();
  });

  test('a close that cannot checkpoint the WAL says so, and the log keeps what was committed', () => {
    const database = opened(100);
    fault = (operation, file) => {
      if (operation === 'write' && file === inner.main) {
        throw platformError('ENOSPC');
      }
    };
    expect(errorOf(() => database.close()).code).toBe('StorageFull');
    database.close();
    expect(inner.wal.getSize()).toBeGreaterThan(0);
    fault = undefined;
    expect(countRows(sqlite.open(files))).toBe(100);
  });
});

describe('results of files', () => {
  test('short reads and writes are continued', () => {
    fault = (operation, file, args) => {
      const [buffer, options] = args as [Uint8Array, { at: number }];
      if ((operation === 'read' || operation === 'write') && buffer.length > 100) {
        return file[operation](buffer.subarray(0, Math.ceil(buffer.length / 3)), options);
      }
      return undefined;
    };
    const database = opened(2000);
    database.close();
    const again = sqlite.open(files);
    expect(countRows(again)).toBe(2000);
    expect(again.integrityCheck()).toEqual([]);
    again.close();
  });

  test.each([
    [0, 'StorageFull'], // Firefox at the quota
    [4294967288, 'StorageFull'], // Chrome 150 at the quota
    [1e9, 'StorageFailed'],
    [-1, 'StorageFailed'],
    [1.5, 'StorageFailed'],
    [Number.NaN, 'StorageFailed'],
  ])('a write that returns %s is %s', (result, code) => {
    const database = opened(10);
    fault = (operation) => (operation === 'write' ? result : undefined);
    expect(errorOf(() => fillTable(database, 10, 'more')).code).toBe(code);
    fault = undefined;
    expect(countRows(database)).toBe(10);
    database.close();
  });

  test.each([0, -1, 1e9])('a read that returns %s in the middle of the file is an error, never zeros', (result) => {
    opened(2000).close();
    const database = sqlite.open(files);
    fault = (operation) => (operation === 'read' ? result : undefined);
    expect(errorOf(() => countRows(database))).toMatchObject({ code: 'StorageFailed' });
    fault = undefined;
    expect(countRows(database)).toBe(2000);
    database.close();
  });
});

test('after a statement that could not be rolled back, no partial pages are read', () => {
  const outcomes = new Set<string>();
  for (let k = 1, reached = true; reached; k++) {
    begin();
    // A new database, which does not use the WAL before its first transaction.
    const database = sqlite.open(files);
    createTable(database);
    database.exec(
      'with recursive counted(i) as (select 1 union all select i + 1 from counted where i < 1000) insert into rows select i, zeroblob(150) from counted',
    );
    // During the statement, pages leave the cache and are written to the file.
    database.exec('pragma cache_size=2');
    let calls = 0;
    fault = (operation) => {
      calls += operation === 'read' ? 0 : 1;
      if (calls >= k) {
        throw platformError('EIO');
      }
    };
    try {
      database.exec('update rows set value = zeroblob(250)');
    } catch (error) {
      expect(isRepoError(error), String(error)).toBe(true);
    }
    reached = calls >= k;
    fault = undefined;
    try {
      const changed = database.prepare('select count(*) from rows where length(value) = 250');
      changed.step();
      outcomes.add(`${changed.columnInt(0)} changed`);
      database.close();
    } catch (error) {
      outcomes.add((error as RepoError).code);
    }
  }
  expect([...outcomes].toSorted()).toEqual(['0 changed', '1000 changed', 'StorageFailed']);
});
