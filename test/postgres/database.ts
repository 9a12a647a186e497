/** A migrated schema of the server of this folder, and a client. Each test file has its own. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, inject } from 'vitest';
import type { Pg } from '../../src/adapters/postgres/pg-client.ts';
import { pgClient } from '../../src/adapters/postgres/pg-client.ts';
import { migrateTables } from '../../src/adapters/postgres/migrate.ts';
import type { TableNames } from '../../src/adapters/postgres/schema.ts';
import { tablesIn } from '../../src/adapters/postgres/schema.ts';
import type { SqlClient } from '../../src/adapters/postgres/sql-client.ts';
import type { TransactionLimits } from '../../src/adapters/postgres/transaction.ts';
import { packages } from './postgres-test.ts';

export const LIMITS: TransactionLimits = { lockTimeoutMs: 30_000, statementTimeoutMs: 30_000, idleTimeoutMs: 60_000 };

const require = createRequire(import.meta.url);

/** Loads `pg` from the packages of this folder. */
export const pg = (): Pg => require(join(packages, 'pg')) as Pg;

export const connectPg = (url: string): SqlClient => pgClient(pg(), { connectionString: url, readers: 8, writers: 8 });

let made = 0;

/** Returns the name of a schema that no other test uses. */
export const newSchema = (): string => {
  made += 1;
  return `test_${process.pid}_${Date.now().toString(36)}_${made}`;
};

export interface TestDatabase {
  readonly client: SqlClient;
  readonly names: TableNames;
  readonly schema: string;
  readonly url: string;
}

/** Its fields can be read from `beforeAll` on. */
export const useDatabase = (connect: (url: string) => SqlClient = connectPg): TestDatabase => {
  const schema = newSchema();
  const names = tablesIn(schema);
  let client: SqlClient | undefined;
  beforeAll(async () => {
    client = connect(inject('postgresUrl'));
    await migrateTables(client, names);
  });
  afterAll(() => client?.close());
  return {
    names,
    schema,
    get client() {
      return client!;
    },
    get url() {
      return inject('postgresUrl');
    },
  };
};

let accounts = 0;

/** Returns a DID that no other test uses. */
export const newDid = (): string => {
  accounts += 1;
  return `did:web:account-${process.pid}-${Date.now().toString(36)}-${accounts}.example.com`;
};
