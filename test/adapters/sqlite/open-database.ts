/** Databases for the tests of the SQLite adapter. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeSqliteWasm } from '../../../src/adapters/platform/node-sqlite-wasm.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import type { Database } from '../../../src/wasm/database/database.ts';
import type { DatabaseFiles } from '../../../src/wasm/vfs/database-files.ts';
import { loadSqlite } from '../../../src/wasm/database/sqlite.ts';

export const openDatabase = async (files: DatabaseFiles = new MemoryFiles()): Promise<Database> => {
  const sqlite = await loadSqlite(await nodeSqliteWasm());
  return sqlite.open(files);
};

/** Runs `run` with a folder that is removed afterwards. */
export const inFolder = async <T>(run: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'pdsdb-test-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** Whether the `sqlite3` command is installed, to check databases with another SQLite. */
export const hasSqlite3: boolean = (() => {
  try {
    execFileSync('sqlite3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    // Missing or not usable. The tests that need it are skipped with this reason.
    return false;
  }
})();

/** Returns the rows that `sqlite3` prints for a database in a file. */
export const sqlite3 = (path: string, sql: string): string[] => {
  const lines = execFileSync('sqlite3', [path, sql], { encoding: 'utf8' }).split('\n');
  return lines.slice(0, -1);
};

/** The same for a database in memory. */
export const sqlite3OfMemory = (files: MemoryFiles, sql: string): Promise<string[]> =>
  inFolder(async (folder) => {
    const path = join(folder, 'pds.db');
    writeFileSync(path, files.main.bytes());
    return sqlite3(path, sql);
  });
