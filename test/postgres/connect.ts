/** Clients of the server of this folder, and names that no other test uses. For every runtime. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Pg } from '../../src/adapters/postgres/pg-client.ts';
import { pgClient } from '../../src/adapters/postgres/pg-client.ts';
import type { SqlClient } from '../../src/adapters/postgres/sql-client.ts';
import type { TransactionLimits } from '../../src/adapters/postgres/transaction.ts';

export const LIMITS: TransactionLimits = { lockTimeoutMs: 30_000, statementTimeoutMs: 30_000, idleTimeoutMs: 60_000 };

const require = createRequire(import.meta.url);

/** The package `pg` of this folder. */
export const driver: string = fileURLToPath(new URL('node_modules/pg', import.meta.url));

export const connectPg = (url: string): SqlClient =>
  pgClient(require(driver) as Pg, { connectionString: url, readers: 8, writers: 8 });

let made = 0;
const unique = (): string => {
  made += 1;
  return `${process.pid}_${Date.now().toString(36)}_${made}`;
};

/** Returns the name of a schema that no other test uses. */
export const newSchema = (): string => `test_${unique()}`;

/** Returns a DID that no other test uses. */
export const newDid = (): string => `did:web:account-${unique().replaceAll('_', '-')}.example.com`;
