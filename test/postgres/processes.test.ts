/**
 * Many processes write to one repository: at once, while they are killed, and while the server is. `PDSDB_PROCESSES`
 * is the number of commits of the first test. The others kill a hundredth of it, at least a second apart.
 */
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import type { PostgresRepos } from '../../src/postgres.ts';
import { openPostgres } from '../../src/postgres.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { KEY } from '../../src/testing/repo/harness.ts';
import { connectPg, newDid, newSchema } from './connect.ts';
import { lacksPostgres, why } from './postgres-test.ts';
import { startServer } from './server.ts';
import { expectWritten, prepareWriters } from './writers.ts';
import type { Writers } from './writers.ts';

const PROCESSES = 8;
const COMMITS = Number(process.env['PDSDB_PROCESSES'] ?? 400);
const KILLS = Math.ceil(COMMITS / 100);
/** New processes take a second to start, on two cores. */
const KILLED_PROCESSES = 4;
const TIMEOUT_MS = 600_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits a second, and until some more calls have resolved. */
const progress = async ({ acknowledged }: Writers): Promise<void> => {
  const before = acknowledged.size;
  await pause(1000);
  while (acknowledged.size < before + 10) {
    await pause(10);
  }
};

/** Makes a repository for the writers of a test. */
const prepare = async (
  url: string,
): Promise<{ readonly places: PostgresRepos; readonly repo: Repo; readonly writers: Writers }> => {
  const [schema, did] = [newSchema(), newDid()];
  const places = await openPostgres(connectPg(url), { schema });
  onTestFinished(() => places.close());
  await places.migrate();
  const repo = await places.createRepo({ did, signer: KEY });
  return { places, repo, writers: await prepareWriters({ url, schema, did }) };
};

describe.skipIf(lacksPostgres)(`processes that share a repository in PostgreSQL${why}`, () => {
  test(`${PROCESSES} processes make ${COMMITS} commits: none is lost and none is doubled`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { repo, writers } = await prepare(inject('postgresUrl'));
    for (let i = 0; i < PROCESSES; i++) {
      writers.start(Math.ceil(COMMITS / PROCESSES));
    }
    await writers.end();
    expect(writers.failures).toEqual([]);
    expect(writers.acknowledged.size).toBe(Math.ceil(COMMITS / PROCESSES) * PROCESSES);
    await expectWritten(repo, writers);
  });

  test('a process is killed every second: every acknowledged commit is present', { timeout: TIMEOUT_MS }, async () => {
    const { repo, writers } = await prepare(inject('postgresUrl'));
    for (let i = 0; i < KILLED_PROCESSES; i++) {
      writers.start();
    }
    await progress(writers);
    for (let i = 0; i < KILLS; i++) {
      writers.killOne();
      writers.start();
      await progress(writers);
    }
    await writers.end({ stop: true });
    expect(writers.failures).toEqual([]);
    await expectWritten(repo, writers);
  });

  test('the server crashes: every acknowledged commit is present', { timeout: TIMEOUT_MS }, async () => {
    const server = await startServer({ durable: true });
    onTestFinished(() => server.stop());
    const { repo, writers } = await prepare(server.url);
    for (let i = 0; i < KILLED_PROCESSES; i++) {
      writers.start();
    }
    await progress(writers);
    for (let i = 0; i < KILLS; i++) {
      await server.restart();
      await progress(writers);
    }
    await writers.end({ stop: true });
    // The lost commits are looked up, so callers know of each write whether it happened.
    expect(writers.failures.filter((code) => code !== 'StorageFailed')).toEqual([]);
    await expectWritten(repo, writers);
  });
});
