/**
 * Every call of the file layer fails, once or from then on. The database has the state before or after the transaction.
 */
import { expect, test } from 'vitest';
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import { isRepoError } from '../../../src/core/errors.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import type { Database } from '../../../src/wasm/database/database.ts';
import { loadSqlite } from '../../../src/wasm/database/sqlite.ts';
import type { DatabaseFiles, SyncFile } from '../../../src/wasm/vfs/database-files.ts';
import { countRows, createTable, fillTable } from '../database/table.ts';

type Operation = Exclude<keyof SyncFile, number>;

test('after a fault in any call, once or from then on, the database has the state before or after', async () => {
  const sqlite = await loadSqlite(await nodeSqliteWasm());
  let calls = 0;
  let failed = 0;
  for (const persistent of [false, true]) {
    for (let k = 1, reached = true; reached; k++) {
      const target = new MemoryFiles();
      const wrap = (slot: 'main' | 'journal' | 'wal'): SyncFile => {
        const through =
          (operation: Operation) =>
          (...args: any[]): any => {
            calls++;
            if (calls === k || (persistent && calls > k)) {
              throw Object.assign(new Error('EIO: the disk says no'), { code: 'EIO' });
            }
            return (target[slot][operation] as (...args: unknown[]) => unknown)(...args);
          };
        return {
          read: through('read'),
          write: through('write'),
          truncate: through('truncate'),
          getSize: through('getSize'),
          flush: through('flush'),
        };
      };
      calls = 0;
      let acknowledged = -1;
      let started = -1;
      const failing: DatabaseFiles = {
        main: wrap('main'),
        journal: wrap('journal'),
        wal: wrap('wal'),
        durableOn: 'flush',
        persist: () => target.persist(),
        close: () => target.close(),
        [Symbol.asyncDispose]: () => target.close(),
      };
      let database: Database | undefined;
      try {
        database = sqlite.open(failing);
        createTable(database);
        acknowledged = started = 0;
        for (let i = 1; i <= 4; i++) {
          started = i * 30;
          fillTable(database, 30, `step${i}-`);
          acknowledged = started;
        }
        database.close();
      } catch (error) {
        expect(isRepoError(error), String(error)).toBe(true);
        failed++;
        try {
          database?.close();
        } catch (again) {
          expect(isRepoError(again), String(again)).toBe(true);
        }
      }
      reached = calls >= k;
      for (const left of [target.reopened(), target.afterPowerCut()]) {
        const checked = sqlite.open(left);
        expect(checked.integrityCheck(), `call ${k}`).toEqual([]);
        if (acknowledged >= 0) {
          const rows = countRows(checked);
          expect(
            rows === acknowledged || rows === started,
            `call ${k}: ${rows} rows, acknowledged ${acknowledged}`,
          ).toBe(true);
        }
        checked.close();
      }
    }
  }
  expect(failed).toBeGreaterThan(100);
});
