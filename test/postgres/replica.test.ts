/** Reads from a standby, with the streaming replication of PostgreSQL. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { SqlClient } from '../../src/adapters/postgres/sql-client.ts';
import { listOf } from '../../src/core/data/list-of.ts';
import type { HeadChange } from '../../src/core/repo/repo.ts';
import type { PostgresOptions, PostgresRepos } from '../../src/postgres.ts';
import { openPostgres } from '../../src/postgres.ts';
import { KEY, POST, post } from '../../src/testing/repo/harness.ts';
import { connectPg, newDid, newSchema } from './connect.ts';
import { lacksPostgres, why } from './postgres-test.ts';
import type { PostgresServer } from './server.ts';
import { startServer } from './server.ts';

/** Counts the statements of a client. */
const counted = (client: SqlClient): { readonly client: SqlClient; count: number } => {
  const counter = {
    count: 0,
    client: {
      ...client,
      query: (text: string, parameters?: readonly (string | Uint8Array)[]) => {
        counter.count += 1;
        return client.query(text, parameters);
      },
    },
  };
  return counter;
};

const until = async (isDone: () => Promise<boolean> | boolean): Promise<void> => {
  for (let i = 0; !(await isDone()); i++) {
    expect(i, 'polls').toBeLessThan(1000);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

describe.skipIf(lacksPostgres)(`reads from a standby${why}`, () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  let admin: SqlClient;
  beforeAll(async () => {
    primary = await startServer();
    standby = await primary.standby();
    admin = connectPg(standby.url);
  });
  afterAll(async () => {
    await admin?.close();
    await standby?.stop();
    await primary?.stop();
  });

  const schema = newSchema();
  const open = async (
    options: PostgresOptions = {},
  ): Promise<{ places: PostgresRepos; near: { count: number }; far: { count: number } }> => {
    const [far, near] = [counted(connectPg(primary.url)), counted(connectPg(standby.url))];
    const places = await openPostgres(far.client, { schema, replica: near.client, ...options });
    onTestFinished(() => places.close());
    await places.migrate();
    return { places, near, far };
  };
  const replay = (isOn: boolean): Promise<unknown> =>
    admin.query(isOn ? 'select pg_wal_replay_resume()::text' : 'select pg_wal_replay_pause()::text');
  const caughtUp = async (): Promise<void> => {
    const client = connectPg(primary.url);
    const [row] = await client.query('select pg_current_wal_insert_lsn()::text');
    await client.close();
    await until(async () => {
      const [found] = await admin.query('select (pg_last_wal_replay_lsn() >= $1::text::pg_lsn)::text', [
        row![0] as string,
      ]);
      return found![0] === 'true';
    });
  };

  test('a process sees its own writes while the standby lags, and reads from it afterwards', async () => {
    const { places, near, far } = await open();
    const did = newDid();
    await replay(false);
    onTestFinished(async () => void (await replay(true)));
    const repo = await places.createRepo({ did, signer: KEY });
    for (let i = 0; i < 10; i++) {
      await repo.put(POST, `n${i}`, post(`${i}`));
      expect((await repo.get(POST, `n${i}`))?.value.text).toBe(`${i}`);
      expect(await listOf(repo.list(POST))).toHaveLength(i + 1);
    }
    // The account is not on the standby either.
    expect((await (await places.openRepo(did)).collections())[0]?.count).toBe(10);
    await replay(true);
    await until(async () => {
      const before = far.count;
      expect((await repo.get(POST, 'n9'))?.value.text).toBe('9');
      return far.count === before;
    });
    const [onPrimary, onStandby] = [far.count, near.count];
    for (let i = 0; i < 20; i++) {
      const again = await places.openRepo(did);
      expect(await listOf(again.list(POST))).toHaveLength(10);
      await again.close();
    }
    expect([far.count - onPrimary, near.count - onStandby >= 40]).toEqual([0, true]);
  });

  test('a process that has read a state never reads an older one; another process may be behind', async () => {
    const [here, there] = [await open(), await open()];
    const did = newDid();
    const writer = await here.places.createRepo({ did, signer: KEY });
    await writer.put(POST, 'a', post('0'));
    await caughtUp();
    const reader = await there.places.openRepo(did);
    expect((await reader.get(POST, 'a'))?.value.text).toBe('0');
    await replay(false);
    onTestFinished(async () => void (await replay(true)));
    await writer.put(POST, 'a', post('1'));
    expect((await reader.get(POST, 'a'))?.value.text).toBe('0');
    expect((await writer.get(POST, 'a'))?.value.text).toBe('1');
    // A change reads the primary. So what comes after it does not go back.
    await (await there.places.openRepo(did, { signer: KEY })).put(POST, 'b', post('b'));
    expect((await reader.get(POST, 'a'))?.value.text).toBe('1');
    expect(await listOf(reader.list(POST))).toHaveLength(2);
  });

  test('states only move forward while two processes write, read, and the standby stutters', async () => {
    const [here, there] = [await open(), await open()];
    const did = newDid();
    const repos = [
      await here.places.createRepo({ did, signer: KEY }),
      await there.places.openRepo(did, { signer: KEY }),
    ];
    let isDone = false;
    const stutter = (async () => {
      while (!isDone) {
        await replay(false);
        await new Promise((resolve) => setTimeout(resolve, 40));
        await replay(true);
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
    })();
    const failures: string[] = [];
    const read = async (repo: (typeof repos)[number]): Promise<void> => {
      for (let last = ''; !isDone; ) {
        const rev = (await repo.head())?.rev ?? '';
        if (rev < last) {
          failures.push(`${rev} after ${last}`);
        }
        last = rev;
      }
    };
    const readers = repos.map(read);
    for (let i = 0; i < 60; i++) {
      const repo = repos[i % 3 === 0 ? 1 : 0]!;
      const { commit } = await repo.put(POST, `n${i}`, post(`${i}`));
      const { rev } = (await repo.head())!;
      if (rev < commit.rev) {
        failures.push(`head ${rev} after the write of ${commit.rev}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    isDone = true;
    await Promise.all([...readers, stutter]);
    expect(failures).toEqual([]);
    expect(there.near.count).toBeGreaterThan(50);
    expect(await repos[1]!.verify({ key: KEY.did() })).toMatchObject({ ok: true, signature: 'valid' });
  });

  test.each([{ pollMs: 10 }, { notify: true }])('listeners read what they are told of, with %j', async (way) => {
    const [here, there] = [await open(way), await open(way)];
    const did = newDid();
    const own = await here.places.createRepo({ did, signer: KEY });
    await own.put(POST, 'a', post('a'));
    const other = await there.places.openRepo(did, { signer: KEY });
    await caughtUp();
    const heard: HeadChange[] = [];
    own.onChange((change) => heard.push(change));
    await own.head();
    await replay(false);
    onTestFinished(async () => void (await replay(true)));
    await other.put(POST, 'b', post('b'));
    await until(() => heard.length > 0);
    expect(heard[0]).toMatchObject({ created: [`${POST}/b`] });
    expect(heard[0]!.incomplete).toBeUndefined();
    expect((await own.get(POST, 'b'))?.value.text).toBe('b');
  });

  test('without its standby a process reads the primary', async () => {
    const gone = await primary.standby();
    const { places } = await open({ replica: connectPg(gone.url) });
    const did = newDid();
    const repo = await places.createRepo({ did, signer: KEY });
    await repo.put(POST, 'a', post('a'));
    await gone.stop();
    expect((await repo.get(POST, 'a'))?.value.text).toBe('a');
    const again = await places.openRepo(did);
    expect(await listOf(again.list(POST))).toHaveLength(1);
    await expect(places.openRepo(newDid())).rejects.toMatchObject({ code: 'RepoNotFound' });
  });
});
