/** Checks a database from an untrusted source before SQLite opens it. */
import { RepoError } from '../../core/errors.ts';
import type { Database } from '../../wasm/database/database.ts';
import type { Sqlite } from '../../wasm/database/sqlite.ts';
import type { DatabaseFiles } from '../../wasm/vfs/database-files.ts';
import { assertFormat, openPages } from './file-format/database-pages.ts';
import { readableFile } from './file-format/readable-file.ts';
import type { SchemaObject } from './file-format/schema-rows.ts';
import { readSchemaRows } from './file-format/schema-rows.ts';
import { assertHarmless, isSequence } from './schema-objects.ts';

export interface InspectOptions {
  /** Whether the database must be empty. */
  readonly isNew: boolean;
  /** Whether another program made the database. It may then have the table of `autoincrement`. Default: `false`. */
  readonly isForeign?: boolean | undefined;
}

/**
 * Returns the schema objects of a database, without SQLite. An empty database has none.
 *
 * SQLite loads the schema before its first statement, and this cannot be interrupted: the build that is used here
 * exports no limits, no progress handler and no authorizer. So this check comes first.
 * @throws {RepoError} `Corrupt` if the file is not a database, or if an object of its schema could run code;
 *   `StorageFailed`.
 */
export const inspectDatabase = (
  files: DatabaseFiles,
  { isForeign = false }: Pick<InspectOptions, 'isForeign'> = {},
): readonly SchemaObject[] => {
  const pages = openPages(files);
  const objects = pages === undefined ? [] : readSchemaRows(pages);
  if (objects.length > 0) {
    assertFormat(pages!.read(1));
    assertHarmless(isForeign ? objects.filter((object) => !isSequence(object)) : objects);
  }
  return objects;
};

/**
 * Inspects a database and opens it. The WAL of a crash stays unchanged until `recover`, so that a refused database
 * stays unchanged.
 * @throws {RepoError} `RepoExists` if `isNew` and the database is not empty; `RepoNotFound` if not `isNew` and it is
 *   empty; the codes of {@link inspectDatabase} and `Sqlite.open`.
 */
export const openInspected = (sqlite: Sqlite, files: DatabaseFiles, { isNew, isForeign }: InspectOptions): Database => {
  const [object] = inspectDatabase(files, { isForeign });
  if (isNew && object !== undefined) {
    throw new RepoError(
      'RepoExists',
      `cannot create a repository: the database is not empty. Open it instead; ${object.type}=${object.name}`,
    );
  }
  // If a hot journal empties the file, SQLite must apply it before a repository can be created there.
  if (!isNew && readableFile(files.main, 'opening the database').getSize() === 0) {
    throw new RepoError('RepoNotFound', 'the database is empty: create the repository first');
  }
  return sqlite.open(files, { recovers: false });
};
