/** A test at every load: SQLite must read and write the given files. */
import { RepoError } from '../../core/errors.ts';
import { SQLITE_MAGIC } from '../../core/storage/layout.ts';
import { equalBytes } from '../../core/data/bytes.ts';
import type { Database } from './database.ts';
import type { DatabaseFiles } from '../vfs/database-files.ts';
import { memoryFiles } from '../vfs/memory-file.ts';

const wrong = (what: string): RepoError =>
  new RepoError(
    'StorageFailed',
    `SQLite cannot work on files in this runtime: report it with the runtime's version; probe=${what}`,
  );

/** @throws {RepoError} `StorageFailed`, before any file of the caller is used. */
export const probe = (sqlite: { open(files: DatabaseFiles): Database }): void => {
  const files = memoryFiles('flush');
  const written = sqlite.open(files);
  written.transaction(() =>
    written.exec("create table probe (key text primary key); insert into probe values ('written')"),
  );
  if (files.wal.getSize() === 0) {
    throw wrong('log');
  }
  written.close();
  const header = new Uint8Array(SQLITE_MAGIC.length);
  files.main.read(header, { at: 0 });
  if (!equalBytes(header, SQLITE_MAGIC) || files.wal.getSize() !== 0 || files.journal.getSize() !== 0) {
    throw wrong('file');
  }
  const read = sqlite.open(files);
  const statement = read.prepare('select key from probe');
  const found = statement.step() ? statement.columnText(0) : '';
  read.close();
  if (found !== 'written') {
    throw wrong('read');
  }
};
