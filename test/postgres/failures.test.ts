/** A change whose lock, statement or connection fails: nothing is half done, and the store stays usable. */
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { PostgresBlockStore } from '../../src/adapters/postgres/block-store.ts';
import { insertRepo } from '../../src/adapters/postgres/repo-rows.ts';
import type { SqlClient } from '../../src/adapters/postgres/sql-client.ts';
import type { RepoRow, TransactionLimits } from '../../src/adapters/postgres/transaction.ts';
import type { BlockChange } from '../../src/core/storage/ports.ts';
import { blockOf, put, revOf } from '../../src/testing/storage/block-store-harness.ts';
import { connectPg, LIMITS, newDid } from './connect.ts';
import { useDatabase } from './database.ts';
import { lacksPostgres, why } from './postgres-test.ts';

const [a, b] = [blockOf(0), blockOf(1)];

/** How the connection of a change ends at its commit. `commit` runs the last writes of the change and commits. */
type Cut = (commit: () => Promise<void>, backend: string) => Promise<void>;

describe.skipIf(lacksPostgres)(`failures of PostgreSQL${why}`, () => {
  const database = useDatabase();
  const newRow = (): Promise<RepoRow> => insertRepo(database.client, database.names, newDid());
  const open = (
    row: RepoRow,
    { limits = LIMITS, client = database.client }: { limits?: TransactionLimits; client?: SqlClient } = {},
  ): PostgresBlockStore => new PostgresBlockStore(client, database.names, row, limits);

  /** A client whose connections are cut at the commit. */
  const cuttingAtCommit = (cut: Cut): SqlClient => {
    const own = connectPg(inject('postgresUrl'));
    onTestFinished(() => own.close());
    return {
      ...own,
      async connect() {
        const connection = await own.connect();
        return {
          ...connection,
          async run(statements) {
            if (!statements.endsWith('commit')) {
              return connection.run(statements);
            }
            const [row] = await connection.query('select pg_backend_pid()::text');
            await cut(async () => void (await connection.run(statements)), row![0] as string);
            throw new Error('the connection was lost');
          },
        };
      },
    };
  };
  const terminate = async (backend: string): Promise<void> => {
    await database.client.query('select pg_terminate_backend($1::text::int4, 10000)::text', [backend]);
  };

  test('a change that waits too long for another one is Locked, and the next one succeeds', async () => {
    const row = await newRow();
    const [first, second] = [open(row), open(row, { limits: { ...LIMITS, lockTimeoutMs: 200 } })];
    let refused: unknown;
    await first.transact(async (change) => {
      await change.put([a]);
      refused = await put(second, [b]).catch((error: unknown) => error);
    });
    expect(refused).toMatchObject({ code: 'Locked', message: expect.stringContaining(row.did) });
    expect(await put(second, [a, b])).toEqual([false, true]);
  });

  test('a statement that takes too long rolls the change back, and the store stays usable', async () => {
    const row = await newRow();
    const store = open(row, { limits: { ...LIMITS, statementTimeoutMs: 300 } });
    await put(store, [a]);
    // A lock on a row of the change, from another transaction.
    const blocking = await database.client.connect();
    await blocking.run(`begin; lock table ${database.names.meta} in access exclusive mode`);
    const slow = store.transact(async (change) => {
      await change.put([b]);
      await change.setMeta('name', 'value');
    });
    await expect(slow).rejects.toMatchObject({
      code: 'StorageFailed',
      message: expect.stringMatching('statementTimeoutMs'),
    });
    await blocking.run('rollback');
    blocking.release();
    expect(await put(store, [a, b])).toEqual([false, true]);
  });

  test('a change that ignores a failed statement is not committed', async () => {
    const store = open(await newRow(), { limits: { ...LIMITS, statementTimeoutMs: 300 } });
    const blocking = await database.client.connect();
    await blocking.run(`begin; lock table ${database.names.meta} in access exclusive mode`);
    const ignoring = store.transact(async (change) => {
      await change.put([a]);
      await change.meta('name').catch(() => undefined);
      await blocking.run('rollback');
      await change.put([b]).catch(() => undefined);
    });
    await expect(ignoring).rejects.toMatchObject({ code: 'StorageFailed' });
    blocking.release();
    expect(await put(store, [a, b])).toEqual([true, true]);
  });

  test('a change that pauses for too long is ended by the server, and the lock is free', async () => {
    const row = await newRow();
    const store = open(row, { limits: { ...LIMITS, idleTimeoutMs: 200 } });
    const paused = store.transact(async (change) => {
      await change.put([a]);
      await new Promise((resolve) => setTimeout(resolve, 600));
      await change.setMeta('name', 'value');
    });
    await expect(paused).rejects.toMatchObject({ code: 'StorageFailed' });
    expect(await put(store, [a])).toEqual([true]);
  });

  test('a connection that is lost in a change undoes it', async () => {
    const row = await newRow();
    const client = connectPg(inject('postgresUrl'));
    onTestFinished(() => client.close());
    let backend = '';
    const noting: SqlClient = {
      ...client,
      async connect() {
        const connection = await client.connect();
        backend = (await connection.query('select pg_backend_pid()::text'))[0]![0] as string;
        return connection;
      },
    };
    const store = open(row, { client: noting });
    const lost = store.transact(async (change) => {
      await change.put([a]);
      await terminate(backend);
      await change.put([b]);
    });
    await expect(lost).rejects.toMatchObject({ code: 'StorageFailed' });
    expect(await put(store, [a, b])).toEqual([true, true]);
  });

  describe('a commit that the server refuses', () => {
    const writing = async (change: BlockChange): Promise<void> => {
      await change.put([a]);
      await change.setRef('main', a.cid);
      await change.setMeta('name', 'value');
    };

    /** Makes the table of meta values raise, at the statement or at the commit. */
    const raising = async (trigger: string): Promise<() => Promise<void>> => {
      const { client, names } = database;
      const { schema, meta } = names;
      const connection = await client.connect();
      await connection.run(
        `create function ${schema}.refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
        ${trigger} on ${meta} ${trigger.includes('constraint') ? 'deferrable initially deferred' : ''}
        for each row execute function ${schema}.refuse()`,
      );
      return async () => {
        await connection.run(`drop function ${schema}.refuse() cascade`);
        connection.release();
      };
    };

    for (const [title, trigger] of Object.entries({
      'because its last statement fails': 'create trigger refuse before insert',
      'because a deferred constraint fails': 'create constraint trigger refuse after insert',
    })) {
      test(`${title}: nothing has changed, the lock is free, and the next one succeeds`, async () => {
        const row = await newRow();
        const store = open(row, { limits: { ...LIMITS, lockTimeoutMs: 1000 } });
        const allow = await raising(trigger);
        const refused = await store.transact(writing).catch((error: unknown) => error);
        await allow();
        expect(refused).toMatchObject({ code: 'StorageFailed', message: expect.stringContaining('refused') });
        expect(await store.ref('main')).toBeUndefined();
        expect(await store.get(a.cid)).toBeUndefined();
        await store.transact(writing);
        expect(await store.meta('name')).toBe('value');
      });
    }

    for (const code of ['57P01', '08006', 'EPIPE']) {
      test(`with the code ${code}, which does not tell the result: it is looked up`, async () => {
        const row = await newRow();
        const stopped: Cut = async (commit) => {
          await commit();
          throw Object.assign(new Error('the connection ends'), { code });
        };
        const store = open(row, { client: cuttingAtCommit(stopped) });
        await store.transact(writing);
        expect(await open(row).meta('name')).toBe('value');
      });
    }
  });

  describe('a connection that is lost at the commit', () => {
    const committing: Cut = (commit) => commit();
    const ending: Cut = async (_, backend) => terminate(backend);
    const writing = async (change: BlockChange): Promise<string> => {
      await change.put([a]);
      await change.setRef('main', a.cid);
      await change.addCommit(revOf(1), a.cid);
      return 'done';
    };

    test('after the server has committed: the change succeeds', async () => {
      const store = open(await newRow(), { client: cuttingAtCommit(committing) });
      expect(await store.transact(writing)).toBe('done');
      expect(String(await store.ref('main'))).toBe(String(a.cid));
    });

    test('before the server has committed: the change fails, and nothing has changed', async () => {
      const row = await newRow();
      await expect(open(row, { client: cuttingAtCommit(ending) }).transact(writing)).rejects.toMatchObject({
        code: 'StorageFailed',
      });
      const store = open(row);
      expect(await store.ref('main')).toBeUndefined();
      expect(await store.transact(writing)).toBe('done');
    });

    test('while the server commits: the change waits for the result', async () => {
      const row = await newRow();
      let late: Promise<void> | undefined;
      const slowly: Cut = async (commit) => {
        late = new Promise((resolve) => setTimeout(resolve, 500)).then(commit);
      };
      // The transaction continues in the server, although this side gives the connection up.
      const client = cuttingAtCommit(slowly);
      const holding: SqlClient = {
        ...client,
        async connect() {
          const connection = await client.connect();
          return {
            ...connection,
            release: (broken) => void (late ?? Promise.resolve()).then(() => connection.release(broken)),
          };
        },
      };
      expect(await open(row, { client: holding }).transact(writing)).toBe('done');
      expect(String(await open(row).commit(revOf(1)))).toBe(String(a.cid));
    });

    test('and a result that cannot be told is OutcomeUnknown', async () => {
      const row = await newRow();
      const other = open(row);
      const overwritten: Cut = async (commit) => {
        await commit();
        await other.transact((change) => change.setMeta('name', 'of another process'));
      };
      const store = open(row, { client: cuttingAtCommit(overwritten) });
      await expect(store.transact((change) => change.setMeta('name', 'mine'))).rejects.toMatchObject({
        code: 'OutcomeUnknown',
        message: expect.stringContaining(row.did),
      });
      expect(await store.meta('name')).toBe('of another process');
    });
  });
});
