/** The types of `pdsdb/postgres`. `npm run check` compiles this. */
import type { BlobStore, Repo } from 'pdsdb';
import type * as postgres from 'pdsdb/postgres';
import { expectTypeOf, test } from 'vitest';

test('a database is opened by its address or over a client', () => {
  expectTypeOf<typeof postgres.openPostgres>().parameter(0).toEqualTypeOf<string | postgres.SqlClient>();
  expectTypeOf<typeof postgres.openPostgres>().returns.resolves.toEqualTypeOf<postgres.PostgresRepos>();
  expectTypeOf<typeof postgres.pgClient>().returns.toEqualTypeOf<postgres.SqlClient>();
  expectTypeOf<Record<never, never>>().toExtend<postgres.PostgresUrlOptions>();
});

test('a repository is a Repo, and creating one needs a DID', () => {
  expectTypeOf<postgres.PostgresRepos['openRepo']>().returns.resolves.toEqualTypeOf<Repo>();
  expectTypeOf<postgres.PostgresRepos['createRepo']>().returns.resolves.toEqualTypeOf<Repo>();
  expectTypeOf<Record<never, never>>().not.toExtend<postgres.CreatePostgresRepoOptions>();
});

test('blobs may be in another store', () => {
  expectTypeOf<(did: string) => BlobStore>().toExtend<NonNullable<postgres.PostgresOptions['blobs']>>();
});
