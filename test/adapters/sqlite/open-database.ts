/** Databases for the tests of what lies over them. */
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

/** A folder that is gone when `run` has ended. */
export const inFolder = async <T>(run: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'pdsdb-test-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** Whether the `sqlite3` command is there, to read with other eyes what was written here. */
export const hasSqlite3: boolean = (() => {
  try {
    execFileSync('sqlite3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    // Not there, or of no use: the tests that need it say so.
    return false;
  }
})();

/** What `sqlite3` answers about the database in a file, a line a row. */
export const sqlite3 = (path: string, sql: string): string[] => {
  const lines = execFileSync('sqlite3', [path, sql], { encoding: 'utf8' }).split('\n');
  return lines.slice(0, -1);
};

/** The same about the database in files in memory. */
export const sqlite3OfMemory = (files: MemoryFiles, sql: string): Promise<string[]> =>
  inFolder(async (folder) => {
    const path = join(folder, 'pds.db');
    writeFileSync(path, files.main.bytes());
    return sqlite3(path, sql);
  });
