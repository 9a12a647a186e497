/** A migrated schema of the server of this folder, and a client. Each test file has its own. */
import { afterAll, beforeAll, inject } from 'vitest';
import { migrateTables } from '../../src/adapters/postgres/migrate.ts';
import type { TableNames } from '../../src/adapters/postgres/schema.ts';
import { tablesIn } from '../../src/adapters/postgres/schema.ts';
import type { SqlClient } from '../../src/adapters/postgres/sql-client.ts';
import { connectPg, newSchema } from './connect.ts';

export interface TestDatabase {
  readonly client: SqlClient;
  readonly names: TableNames;
}

/** Its fields can be read from `beforeAll` on. */
export const useDatabase = (connect: (url: string) => SqlClient = connectPg): TestDatabase => {
  const names = tablesIn(newSchema());
  let client: SqlClient | undefined;
  beforeAll(async () => {
    client = connect(inject('postgresUrl'));
    await migrateTables(client, names);
  });
  afterAll(() => client?.close());
  return {
    names,
    get client() {
      return client!;
    },
  };
};
