/** Listeners of one process see the heads of another one, each once. */
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import type { HeadChange } from '../../src/core/repo/repo.ts';
import type { PostgresOptions, PostgresRepos } from '../../src/postgres.ts';
import { openPostgres } from '../../src/postgres.ts';
import { KEY, POST, post } from '../../src/testing/repo/harness.ts';
import { connectPg, newDid, newSchema } from './connect.ts';
import { lacksPostgres, why } from './postgres-test.ts';

const until = async (isDone: () => boolean): Promise<void> => {
  for (let i = 0; !isDone(); i++) {
    if (i > 3000) {
      throw new Error('no notice in time');
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** The two ways to hear of the heads of others. */
const WAYS: Readonly<Record<string, PostgresOptions>> = { notify: { notify: true }, polls: { pollMs: 10 } };

describe.skipIf(lacksPostgres).each(Object.entries(WAYS))(`notices of new heads by %s${why}`, (_, way) => {
  const open = async (options: PostgresOptions): Promise<PostgresRepos> => {
    const places = await openPostgres(connectPg(inject('postgresUrl')), options);
    onTestFinished(() => places.close());
    await places.migrate();
    return places;
  };

  test('a listener hears of the changes of its own and of the other process, each once and in order', async () => {
    const options = { schema: newSchema(), ...way };
    const [here, there] = [await open(options), await open(options)];
    const did = newDid();
    const own = await here.createRepo({ did, signer: KEY });
    const other = await there.openRepo(did, { signer: KEY });
    const [heard, heardThere]: HeadChange[][] = [[], []];
    const stop = own.onChange((change) => heard!.push(change));
    other.onChange((change) => heardThere!.push(change));
    for (let i = 0; i < 10; i++) {
      await (i % 2 === 0 ? own : other).put(POST, `n${i}`, post(`${i}`));
      await until(() => heard!.length === i + 1 && heardThere!.length === i + 1);
    }
    await other.write([
      { action: 'delete', collection: POST, rkey: 'n0' },
      { action: 'update', collection: POST, rkey: 'n1', value: post('again') },
      { action: 'create', collection: POST, rkey: 'n10', value: post('10') },
    ]);
    await until(() => heard!.length === 11 && heardThere!.length === 11);
    expect(heard!.map(({ created, updated, deleted }) => [created, updated, deleted])).toEqual([
      ...Array.from({ length: 10 }, (_, i) => [[`${POST}/n${i}`], [], []]),
      [[`${POST}/n10`], [`${POST}/n1`], [`${POST}/n0`]],
    ]);
    const described = (changes: readonly HeadChange[]): string[] =>
      changes.map(({ cid, rev, created, updated, deleted }) => [cid, rev, created, updated, deleted].join(' '));
    expect(described(heardThere!)).toEqual(described(heard!));
    stop();
  });

  test('a repository that is open twice hears of both', async () => {
    const places = await open({ schema: newSchema(), ...way });
    const did = newDid();
    const own = await places.createRepo({ did, signer: KEY });
    const heard: string[] = [];
    own.onChange((change) => heard.push(...change.created));
    const again = await places.openRepo(did, { signer: KEY });
    await again.put(POST, 'one', post('one'));
    await again.close();
    await until(() => heard.length === 1);
    await own.put(POST, 'two', post('two'));
    expect(heard).toEqual([`${POST}/one`, `${POST}/two`]);
  });

  test('concurrent changes of both are heard once each', async () => {
    const options = { schema: newSchema(), ...way };
    const [here, there] = [await open(options), await open(options)];
    const did = newDid();
    const own = await here.createRepo({ did, signer: KEY });
    const other = await there.openRepo(did, { signer: KEY });
    const created: string[] = [];
    own.onChange((change) => created.push(...change.created));
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? own : other).put(POST, `n${i}`, post(`${i}`))),
    );
    await until(() => created.length >= 40);
    expect(created.sort()).toEqual(Array.from({ length: 40 }, (_, i) => `${POST}/n${i}`).sort());
  });

  test('a watch reads the page again, and a reset is marked', async () => {
    const options = { schema: newSchema(), ...way };
    const [here, there] = [await open(options), await open(options)];
    const did = newDid();
    const own = await here.createRepo({ did, signer: KEY });
    const other = await there.openRepo(did, { signer: KEY });
    const { commit } = await other.put(POST, 'one', post('one'));
    const watch = own.watch(POST);
    expect((await watch.next()).value?.records).toHaveLength(1);
    await other.put(POST, 'two', post('two'));
    // A notice takes a while, so that of the first record may make a page of its own.
    let records: readonly unknown[] | undefined = [];
    while (records !== undefined && records.length < 2) {
      records = (await watch.next()).value?.records;
    }
    expect(records).toHaveLength(2);
    const heard: HeadChange[] = [];
    own.onChange((change) => heard.push(change));
    await other.reset(commit.cid);
    await until(() => heard.some(({ reset }) => reset === true));
    expect(heard.at(-1)).toMatchObject({ reset: true, deleted: [`${POST}/two`] });
  });

  test('without notify, and without LISTEN', async () => {
    const schema = newSchema();
    const [here, there] = [await open({ schema }), await open({ schema })];
    const did = newDid();
    const own = await here.createRepo({ did, signer: KEY });
    const heard: HeadChange[] = [];
    own.onChange((change) => heard.push(change));
    await (await there.openRepo(did, { signer: KEY })).put(POST, 'one', post('one'));
    await own.put(POST, 'two', post('two'));
    expect(heard.map(({ created }) => created)).toEqual([[`${POST}/two`]]);
    const { listen: _, ...client } = connectPg(inject('postgresUrl'));
    onTestFinished(() => client.close());
    await expect(openPostgres(client, { notify: true })).rejects.toMatchObject({ code: 'Unsupported' });
  });
});

describe.skipIf(lacksPostgres)(`polls of heads${why}`, () => {
  test('one query reads the heads of all repositories with listeners, also after the server was away', async () => {
    const schema = newSchema();
    const client = connectPg(inject('postgresUrl'));
    let [polls, failures] = [0, 0];
    const counting = {
      ...client,
      query: async (text: string, parameters?: readonly (string | Uint8Array)[]) => {
        const isPoll = text.startsWith('select repo::text, cid');
        polls += isPoll ? 1 : 0;
        if (isPoll && failures > 0) {
          failures -= 1;
          throw new Error('no connection');
        }
        return client.query(text, parameters);
      },
    };
    const here = await openPostgres(counting, { schema, pollMs: 20 });
    const there = await openPostgres(connectPg(inject('postgresUrl')), { schema });
    onTestFinished(() => here.close());
    onTestFinished(() => there.close());
    await here.migrate();
    const dids = Array.from({ length: 5 }, newDid);
    const heard: string[] = [];
    for (const did of dids) {
      const repo = await here.createRepo({ did, signer: KEY });
      repo.onChange(({ created }) => heard.push(did, ...created));
      await repo.head();
    }
    // Each new listener polls at once, and perhaps once more.
    await until(() => polls > 10);
    polls = 0;
    const start = performance.now();
    await until(() => polls > 20);
    // One query for the five repositories in each interval of 20 ms. The last polls of the listeners may be among them.
    expect(polls).toBeLessThanOrEqual((performance.now() - start) / 20 + 3);
    failures = 3;
    await (await there.openRepo(dids[3]!, { signer: KEY })).put(POST, 'one', post('one'));
    await until(() => heard.length > 0);
    expect([heard, failures]).toEqual([[dids[3], `${POST}/one`], 0]);
    await expect(openPostgres(client, { notify: true, pollMs: 20 })).rejects.toThrow(TypeError);
    await here.close();
    polls = 0;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(polls).toBe(0);
  });
});
