/** The harnesses of the conformance cases, for every runtime. */
import { PostgresBlobStore } from '../../src/adapters/postgres/blob-store.ts';
import { PostgresBlockStore } from '../../src/adapters/postgres/block-store.ts';
import { keyOfCid } from '../../src/adapters/postgres/ordered-cid.ts';
import { findRepo, insertRepo } from '../../src/adapters/postgres/repo-rows.ts';
import type { SqlClient } from '../../src/adapters/postgres/sql-client.ts';
import { CHUNK_SIZE, removeOrphanedUploads, Upload } from '../../src/adapters/postgres/upload.ts';
import type { CidBytes } from '../../src/core/data/cid.ts';
import type { PostgresRepos } from '../../src/postgres.ts';
import { openPostgres } from '../../src/postgres.ts';
import type { RepoHarness } from '../../src/testing/repo/harness.ts';
import type { BlobStoreHarness } from '../../src/testing/storage/blob-store-harness.ts';
import { bytesOf } from '../../src/testing/storage/blob-store-harness.ts';
import type { BlockStoreHarness } from '../../src/testing/storage/block-store-harness.ts';
import { LIMITS, newDid, newSchema } from './connect.ts';
import type { TestDatabase } from './database.ts';

export const blockHarness = async ({ client, names }: TestDatabase): Promise<BlockStoreHarness> => {
  const row = await insertRepo(client, names, newDid());
  const open = async (own = client): Promise<PostgresBlockStore> =>
    new PostgresBlockStore(own, names, await findRepo(own, names, row.did), LIMITS);
  return { open: () => open(), openBeside: () => open() };
};

/** The uploads that no blob refers to. */
export const orphans = async ({ client, names }: TestDatabase): Promise<string[]> => {
  const rows = await client.query(
    `select distinct encode(upload, 'hex') from ${names.blobChunks} as c
    where not exists (select from ${names.blobs} as b where b.repo = c.repo and b.upload = c.upload)`,
  );
  return rows.map(([upload]) => upload as string);
};

export const MINUTE = 60_000;

export const blobHarness = async (database: TestDatabase): Promise<BlobStoreHarness> => {
  const { client, names } = database;
  const row = await insertRepo(client, names, newDid());
  return {
    async open() {
      // Opening a store removes nothing, because other processes may write: an operator calls `sweep`.
      await removeOrphanedUploads(client, names, Date.now() + MINUTE);
      return new PostgresBlobStore(client, names, row);
    },
    keeps: true,
    async damage(cid, bytes) {
      const upload = `(select upload from ${names.blobs} where repo = $1::text::int8 and key = $2::bytea)`;
      await client.query(
        `update ${names.blobChunks} set bytes = $3::bytea where repo = $1::text::int8 and upload = ${upload}`,
        [row.id, keyOfCid(cid.bytes as CidBytes), bytes],
      );
    },
    async leaveUnfinished() {
      const upload = new Upload(client, names, row.id);
      await upload.append(bytesOf(CHUNK_SIZE + 1));
      await upload.flush();
    },
    temporaryFiles: () => orphans(database),
  };
};

/**
 * Returns a function that makes a harness per case. The account of all cases is the same, so each place is a schema.
 * The next case empties the places, because making tables takes longer than most cases.
 */
export const createRepoHarness = (client: SqlClient): (() => RepoHarness) => {
  const places: Promise<PostgresRepos>[] = [];
  const migrated = async (): Promise<PostgresRepos> => {
    const repos = await openPostgres(
      { ...client, close: async () => undefined },
      {
        schema: newSchema(),
        pollMs: 5,
      },
    );
    await repos.migrate();
    return repos;
  };
  const harnessAt = (index: number, next: () => number): RepoHarness => {
    let place: Promise<PostgresRepos> | undefined;
    const empty = async (): Promise<PostgresRepos> => {
      places[index] ??= migrated();
      const repos = await places[index];
      for (const { did } of await repos.listRepos()) {
        await repos.deleteRepo(did);
      }
      return repos;
    };
    const repos = (): Promise<PostgresRepos> => {
      place ??= empty();
      return place;
    };
    let did = '';
    return {
      async create(options) {
        did = options.did;
        return (await repos()).createRepo(options);
      },
      open: async (options) => (await repos()).openRepo(did, options),
      openBeside: async (options) => (await repos()).openRepo(did, options),
      openOrCreate: async (options) => (await repos()).openOrCreateRepo(options),
      other: () => harnessAt(next(), next),
      hearsOthers: true,
      noFiles: true,
    };
  };
  return () => {
    let last = 0;
    return harnessAt(0, () => {
      last += 1;
      return last;
    });
  };
};
