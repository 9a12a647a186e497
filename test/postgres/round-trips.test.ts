/** The number of round trips of each operation. They decide how fast it is when the server is on another machine. */
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { SqlClient } from '../../src/adapters/postgres/sql-client.ts';
import { listOf } from '../../src/core/data/list-of.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { openPostgres } from '../../src/postgres.ts';
import { KEY, POST, post } from '../../src/testing/repo/harness.ts';
import { connectPg, newDid, newSchema } from './connect.ts';
import { lacksPostgres, why } from './postgres-test.ts';

const rkeyOf = (i: number): string => `3k${String(i).padStart(11, '0')}`;

/** Returns a client that counts its round trips, and a function that counts those of some work. */
const countingClient = (url: string) => {
  const client = connectPg(url);
  let trips = 0;
  const counted = <T>(call: Promise<T>): Promise<T> => {
    trips += 1;
    return call;
  };
  const counting: SqlClient = {
    ...client,
    query: (text, parameters) => counted(client.query(text, parameters)),
    copyOut: (text, onChunk) => counted(client.copyOut!(text, onChunk)),
    async connect() {
      const connection = await client.connect();
      return {
        ...connection,
        query: (text, parameters) => counted(connection.query(text, parameters)),
        run: (statements) => counted(connection.run(statements)),
      };
    },
  };
  const tripsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = trips;
    await work();
    return trips - before;
  };
  return { client: counting, tripsOf };
};

describe.skipIf(lacksPostgres)(`round trips${why}`, () => {
  const schema = newSchema();
  const dids = { small: newDid(), large: newDid() };
  const sizes = { small: 100, large: 1000 };

  /** Opens the database as another process does. */
  const open = async () => {
    const { client, tripsOf } = countingClient(inject('postgresUrl'));
    const places = await openPostgres(client, { schema });
    onTestFinished(() => places.close());
    const openRepo = (did: string): Promise<Repo> => places.openRepo(did, { signer: KEY });
    return { places, tripsOf, openRepo };
  };

  beforeAll(async () => {
    const places = await openPostgres(connectPg(inject('postgresUrl')), { schema });
    await places.migrate();
    for (const account of ['small', 'large'] as const) {
      const repo = await places.createRepo({ did: dids[account], signer: KEY });
      await repo.write(
        Array.from({ length: sizes[account] }, (_, i) => ({
          action: 'create' as const,
          collection: POST,
          rkey: rkeyOf(i),
          value: post(`${i}`),
        })),
      );
    }
    await places.close();
  });

  test('of opening: one, and one for the version of the tables', async () => {
    const { tripsOf, openRepo } = await open();
    expect(await tripsOf(() => openRepo(dids.small))).toBe(2);
    expect(await tripsOf(() => openRepo(dids.large))).toBe(1);
  });

  test('of reads of a small account that was just opened: one', async () => {
    const { tripsOf, openRepo } = await open();
    const first = await openRepo(dids.small);
    expect(await tripsOf(() => first.get(POST, rkeyOf(48)))).toBe(1);
    expect(await tripsOf(() => first.get(POST, rkeyOf(49)))).toBe(1);
    const second = await openRepo(dids.small);
    expect(await tripsOf(() => listOf(second.list(POST)))).toBe(1);
    const third = await openRepo(dids.small);
    expect(await tripsOf(() => new Response(third.exportCar()).arrayBuffer())).toBeLessThanOrEqual(1);
  });

  test('of lists and exports of a larger account: one for two layers at the top, for each layer below, and for the records', async () => {
    const { tripsOf, openRepo } = await open();
    for (const [limit, trips] of [
      [10, 4],
      [100, 5],
      [undefined, 5],
    ]) {
      const repo = await openRepo(dids.large);
      expect(await tripsOf(() => listOf(repo.list(POST, { limit })))).toBe(trips);
    }
    const repo = await openRepo(dids.large);
    expect(await tripsOf(() => new Response(repo.exportCar()).arrayBuffer())).toBeLessThanOrEqual(2);
    const again = await openRepo(dids.large);
    expect(await tripsOf(() => again.verify())).toBeLessThan(45);
  });

  test('of a get of a larger account: one for each two layers, and the record', async () => {
    const { tripsOf, openRepo } = await open();
    const repo = await openRepo(dids.large);
    expect(await tripsOf(() => repo.get(POST, rkeyOf(48)))).toBe(4);
    expect(await tripsOf(() => repo.get(POST, rkeyOf(48)))).toBe(1);
    expect(await tripsOf(() => repo.get(POST, rkeyOf(49)))).toBe(2);
  });

  test('of a commit: two if its path is in memory, and three after a write of another process', async () => {
    const { tripsOf, openRepo } = await open();
    for (const did of [dids.small, dids.large]) {
      const repo = await openRepo(did);
      await repo.put(POST, 'first', post('first'));
      expect(await tripsOf(() => repo.put(POST, 'second', post('second')))).toBe(2);
      expect(await tripsOf(() => repo.delete(POST, 'second'))).toBe(2);
      expect(await tripsOf(() => repo.put(POST, 'named', post('named'), { request: { id: 'named' } }))).toBe(2);
      expect(await tripsOf(() => repo.get(POST, 'first'))).toBe(2);
      const other = await openRepo(did);
      await other.put(POST, 'other', post('other'));
      expect(await tripsOf(() => repo.head())).toBe(2);
      expect(await tripsOf(() => repo.head())).toBe(1);
    }
  });

  test('of the first commit to a small account that was just opened: two, also after a read', async () => {
    const { tripsOf, openRepo } = await open();
    const repo = await openRepo(dids.small);
    expect(await tripsOf(() => repo.put(POST, 'third', post('third')))).toBe(2);
    expect(await tripsOf(() => repo.get(POST, rkeyOf(48)))).toBe(1);
    const read = await openRepo(dids.small);
    await read.get(POST, rkeyOf(0));
    expect(await tripsOf(() => read.put(POST, 'fourth', post('fourth')))).toBe(2);
  });

  test('of two owners that write in turn: two, and one that reads the path of the other', async () => {
    const { tripsOf, openRepo } = await open();
    const [repo, other] = [await openRepo(dids.small), await openRepo(dids.small)];
    await repo.put(POST, 'mine', post('0'));
    const trips: number[][] = [];
    for (let i = 1; i <= 3; i++) {
      const ofOther = await tripsOf(() => other.put(POST, 'other', post(`${i}`)));
      trips.push([ofOther, await tripsOf(() => repo.put(POST, 'mine', post(`${i}`)))]);
    }
    expect(trips).toEqual([
      [2, 3],
      [3, 3],
      [3, 3],
    ]);
  });

  test('of concurrent commits: one for each, to begin and to end together', async () => {
    const { tripsOf, openRepo } = await open();
    const repo = await openRepo(dids.small);
    await repo.put(POST, 'warm', post('warm'));
    const trips = await tripsOf(() =>
      Promise.all(Array.from({ length: 20 }, (_, i) => repo.put(POST, `at-once-${i}`, post(`${i}`)))),
    );
    expect(trips).toBe(2);
  });
});
