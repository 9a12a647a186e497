/** Opening a database that may come from anywhere. */
import { RepoError } from '../../core/errors.ts';
import type { Database } from '../../wasm/database/database.ts';
import type { Sqlite } from '../../wasm/database/sqlite.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import { assertFormat, openPages } from './file-format/database-pages.ts';
import { readableFile } from './file-format/readable-file.ts';
import type { SchemaObject } from './file-format/schema-rows.ts';
import { readSchemaRows } from './file-format/schema-rows.ts';
import { assertHarmless } from './schema-objects.ts';

/**
 * Returns the objects of a database, read page by page; nothing if it is empty.
 *
 * SQLite loads the schema before its first statement, and what it computes then cannot be interrupted: the build that
 * is used here exports no limits, no progress handler and no authorizer. So the check has to come first.
 * @throws {RepoError} `Corrupt` when the file is not a database, or an object of its schema could run code;
 *   `StorageFailed`.
 */
export const inspectDatabase = (files: DatabaseFiles): readonly SchemaObject[] => {
  const pages = openPages(files);
  const objects = pages === undefined ? [] : readSchemaRows(pages);
  if (objects.length > 0) {
    assertFormat(pages!.read(1));
    assertHarmless(objects);
  }
  return objects;
};

/**
 * Opens a database that was inspected. The log that a crash has left stays as it is until `recover`, so that a database
 * that is refused is left as it was.
 * @param options.isNew Whether the database has to be empty.
 * @throws {RepoError} `RepoExists` when it is not, and `RepoNotFound` when it is; as {@link inspectDatabase} and
 *   `Sqlite.open` do.
 */
export const openInspected = (
  sqlite: Sqlite,
  files: DatabaseFiles,
  { isNew }: { readonly isNew: boolean },
): Database => {
  const [object] = inspectDatabase(files);
  if (isNew && object !== undefined) {
    throw new RepoError('RepoExists', `the database is not empty; ${object.type}=${object.name}`);
  }
  // A file that a journal empties is for SQLite to empty: only then can a repository be made there.
  if (!isNew && readableFile(files.main, 'opening the database').getSize() === 0) {
    throw new RepoError('RepoNotFound', 'the database is empty');
  }
  return sqlite.open(files, { recovers: false });
};
