/** The contract of a block store, over PostgreSQL. */
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { PostgresBlockStore } from '../../src/adapters/postgres/block-store.ts';
import { insertRepo } from '../../src/adapters/postgres/repo-rows.ts';
import { blockStoreCases } from '../../src/testing/storage/block-store-cases.ts';
import type { BlockStoreHarness } from '../../src/testing/storage/block-store-harness.ts';
import { runCases } from '../run-cases.ts';
import { connectPg, LIMITS, newDid } from './connect.ts';
import type { TestDatabase } from './database.ts';
import { useDatabase } from './database.ts';
import { blockHarness } from './harnesses.ts';
import { connectPostgresJs } from './postgres-js-client.ts';
import { lacksPostgres, why } from './postgres-test.ts';

/** A process that ends loses its connections. So its client is here, and the server ends the connections. */
const crashingOver = async ({ client, names }: TestDatabase): Promise<BlockStoreHarness> => {
  const row = await insertRepo(client, names, newDid());
  const name = row.did.slice(0, 63);
  return {
    async open() {
      const own = connectPg(`${inject('postgresUrl')}?application_name=${encodeURIComponent(name)}`);
      // Not awaited: the change of the lost process never ends.
      onTestFinished(() => void own.close());
      return new PostgresBlockStore(own, names, row, LIMITS);
    },
    async crash() {
      await client.query(
        'select pg_terminate_backend(pid, 10000)::text from pg_stat_activity where application_name = $1::text',
        [name],
      );
    },
  };
};

describe.skipIf(lacksPostgres)(`a block store in PostgreSQL whose process ends${why}`, () => {
  const database = useDatabase();
  const cases = blockStoreCases.filter(({ name }) => name.includes('after a crash'));
  test('has cases', () => expect(cases).toHaveLength(2));
  runCases(cases, () => crashingOver(database));
});

for (const [driver, connect] of Object.entries({ pg: connectPg, postgres: connectPostgresJs })) {
  describe.skipIf(lacksPostgres)(`a block store in PostgreSQL, with the driver ${driver}${why}`, () => {
    const database = useDatabase(connect);
    runCases(blockStoreCases, () => blockHarness(database));
  });
}
