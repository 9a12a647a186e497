/** Makes the tables, or brings them to the version of this library. */
import type { SqlClient } from './sql-client.ts';
import { toSqlError } from './sql-errors.ts';
import type { TableNames } from './schema.ts';
import { assertNotNewer, MIGRATIONS, TABLES_VERSION, tablesVersion } from './schema.ts';

/**
 * Runs the missing migrations in one transaction. Concurrent calls wait for each other.
 * @throws {RepoError} `UnknownVersion` if the tables are newer; `StorageFailed`. Nothing has changed then.
 */
export const migrateTables = async (client: SqlClient, names: TableNames): Promise<void> => {
  try {
    const connection = await client.connect();
    let isDone = false;
    try {
      await connection.run('begin');
      await connection.query(`select pg_advisory_xact_lock(hashtextextended('pdsdb ' || $1::text, 0))::text`, [
        names.schema,
      ]);
      const version = await tablesVersion(connection, names);
      assertNotNewer(version, names);
      if (version === undefined) {
        // Not `create schema if not exists`: it needs the privilege to create schemas even if the schema exists.
        const [row] = await connection.query('select to_regnamespace($1::text)::text', [names.schema]);
        await connection.run(
          `${row?.[0] == null ? `create schema ${names.schema};` : ''}
          create table ${names.layout} (version int4 primary key, migrated_at timestamptz not null default now())`,
        );
      }
      for (let next = version ?? 0; next < TABLES_VERSION; next++) {
        await connection.run(`${MIGRATIONS[next]!(names)}; insert into ${names.layout} (version) values (${next + 1})`);
      }
      await connection.run('commit');
      isDone = true;
    } finally {
      // The server rolls back when the connection ends.
      connection.release(!isDone);
    }
  } catch (error) {
    throw toSqlError(error, 'the migration');
  }
};
