/** All cases of a repository, over the entry point for PostgreSQL. */
import { afterAll, beforeAll, describe, inject } from 'vitest';
import type { SqlClient } from '../../src/adapters/postgres/sql-client.ts';
import { openPostgres } from '../../src/postgres.ts';
import { repoCases } from '../../src/testing/repo/cases.ts';
import type { RepoHarness } from '../../src/testing/repo/harness.ts';
import { runCases } from '../run-cases.ts';
import { connectPg, newSchema } from './database.ts';
import { lacksPostgres, why } from './postgres-test.ts';

/** The account of a case is the same in each, so each place is a schema of its own. All share the connections. */
const harnessOver = (client: SqlClient): RepoHarness => {
  const places = (async () => {
    const repos = await openPostgres({ ...client, close: async () => undefined }, { schema: newSchema() });
    await repos.migrate();
    return repos;
  })();
  let did = '';
  return {
    async create(options) {
      did = options.did;
      return (await places).createRepo(options);
    },
    open: async (options) => (await places).openRepo(did, options),
    openOrCreate: async (options) => (await places).openOrCreateRepo(options),
    other: () => harnessOver(client),
    noFiles: true,
  };
};

describe.skipIf(lacksPostgres)(`a repository in PostgreSQL${why}`, () => {
  let client: SqlClient;
  beforeAll(() => {
    client = connectPg(inject('postgresUrl'));
  });
  afterAll(() => client.close());
  runCases(repoCases, () => harnessOver(client));
});
