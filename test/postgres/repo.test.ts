/** All cases of a repository, over the entry point for PostgreSQL. */
import { afterAll, beforeAll, describe, inject } from 'vitest';
import type { SqlClient } from '../../src/adapters/postgres/sql-client.ts';
import { repoCases } from '../../src/testing/repo/cases.ts';
import type { RepoHarness } from '../../src/testing/repo/harness.ts';
import { runCases } from '../run-cases.ts';
import { connectPg } from './connect.ts';
import { createRepoHarness } from './harnesses.ts';
import { lacksPostgres, why } from './postgres-test.ts';

describe.skipIf(lacksPostgres)(`a repository in PostgreSQL${why}`, () => {
  let client: SqlClient;
  let makeHarness: () => RepoHarness;
  beforeAll(() => {
    client = connectPg(inject('postgresUrl'));
    makeHarness = createRepoHarness(client);
  });
  afterAll(() => client.close());
  runCases(repoCases, () => makeHarness());
});
