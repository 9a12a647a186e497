/** A transaction that changes one repository. It holds the lock of the repository until it ends. */
import { pause } from '../../core/data/pause.ts';
import { RepoError } from '../../core/errors.ts';
import type { TableNames } from './schema.ts';
import type { SqlClient, SqlConnection, SqlParameter, SqlRow, SqlSession } from './sql-client.ts';
import { sqlStateOf, toSqlError } from './sql-errors.ts';

/** Limits in milliseconds. 0 means no limit. */
export interface TransactionLimits {
  /** The wait for the lock of a repository. */
  readonly lockTimeoutMs: number;
  /** The time of each statement. */
  readonly statementTimeoutMs: number;
  /** The pause between two statements of a change. Without it, a process that hangs keeps the lock. */
  readonly idleTimeoutMs: number;
}

/** A repository in the tables. */
export interface RepoRow {
  readonly did: string;
  /** Its number, in decimal. */
  readonly id: string;
}

/** A transaction in the server. */
interface TransactionId {
  /** Its number. A server that has crashed may give the number to another transaction. */
  readonly number: string;
  /** When the server started. */
  readonly started: string;
}

const STARTED = 'extract(epoch from pg_postmaster_start_time())::text';

/** The kind of the row with the transaction's id. */
const TRANSACTION = 'transaction';

/** How often a lost commit is looked up, and the pause in milliseconds. A restart of the server takes seconds. */
const OUTCOME_ATTEMPTS = 100;
const OUTCOME_PAUSE_MS = 100;

const rollBack = async (connection: SqlConnection): Promise<void> => {
  try {
    await connection.run('rollback');
    connection.release();
  } catch {
    // The caller reports the failure that led here. The server rolls back when the connection ends.
    connection.release(true);
  }
};

/** Classes of errors that do not tell whether a commit has happened: of connections, poolers and stopped servers. */
const UNCERTAIN = /^(?:08|53|57P|58|XX)/;

/** Returns whether an error of `…; commit` means that nothing has changed. */
const isRefusal = (error: unknown): boolean => {
  const state = sqlStateOf(error);
  return state !== undefined && !UNCERTAIN.test(state);
};

export class Transaction implements SqlSession {
  /** What the statement has read that was passed to {@link beginTransaction}. */
  readonly preloaded: readonly SqlRow[];
  readonly #client: SqlClient;
  readonly #connection: SqlConnection;
  readonly #did: string;
  readonly #id: TransactionId;
  readonly #running = new Set<Promise<unknown>>();
  /** The first failure of a statement. PostgreSQL then rejects all others, and `commit` would roll back silently. */
  #fault: RepoError | undefined;

  /** Use {@link beginTransaction}. */
  constructor(
    client: SqlClient,
    connection: SqlConnection,
    did: string,
    id: TransactionId,
    preloaded: readonly SqlRow[],
  ) {
    this.preloaded = preloaded;
    this.#client = client;
    this.#connection = connection;
    this.#did = did;
    this.#id = id;
  }

  async query(text: string, parameters?: readonly SqlParameter[]): Promise<readonly SqlRow[]> {
    const running = this.#connection.query(text, parameters);
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      const fault = toSqlError(error, `a statement of a change of ${this.#did}`);
      this.#fault ??= fault;
      throw fault;
    } finally {
      this.#running.delete(running);
    }
  }

  /**
   * Waits for statements that nobody waited for, then throws the first failure of any statement. `run` may have
   * ignored it, and a commit would lack its blocks.
   */
  async assertSound(): Promise<void> {
    await Promise.allSettled(this.#running);
    if (this.#fault !== undefined) {
      throw this.#fault;
    }
  }

  /**
   * Commits. If the connection is lost meanwhile, asks the server on another one for the result of the transaction.
   * @param last Statements to run before, in the same round trip.
   * @param isStored Returns whether a value of this change is stored, or `undefined` if it cannot know.
   * @throws {RepoError} `OutcomeUnknown`; `StorageFull` or `StorageFailed` if nothing has changed.
   */
  async commit(isStored: () => Promise<boolean | undefined>, last?: string): Promise<void> {
    try {
      await this.#connection.run(last === undefined ? 'commit' : `${last}; commit`);
      this.#connection.release();
    } catch (error) {
      const failed = (): RepoError => toSqlError(error, `the commit of a change of ${this.#did}`);
      if (isRefusal(error)) {
        await this.rollback();
        throw failed();
      }
      this.#connection.release(true);
      const outcome = await this.#outcome(isStored);
      if (outcome === 'aborted') {
        throw failed();
      }
      if (outcome === 'unknown') {
        throw new RepoError(
          'OutcomeUnknown',
          `the connection was lost during the commit: read the repository to see whether the write happened; did=${this.#did}`,
          { cause: error },
        );
      }
    }
  }

  /** Rolls back. Never rejects. */
  rollback(): Promise<void> {
    return rollBack(this.#connection);
  }

  async #outcome(isStored: () => Promise<boolean | undefined>): Promise<'aborted' | 'committed' | 'unknown'> {
    for (let attempt = 0; attempt < OUTCOME_ATTEMPTS; attempt++) {
      try {
        const { number, started } = this.#id;
        const [server] = await this.#client.query(`select ${STARTED}`);
        if (server?.[0] !== started) {
          // The transaction ended with its server, or a standby has become the primary.
          const stored = await isStored();
          return stored === undefined ? 'unknown' : stored ? 'committed' : 'aborted';
        }
        const [row] = await this.#client.query('select pg_xact_status($1::text::xid8)', [number]);
        if (row?.[0] === 'aborted') {
          return 'aborted';
        }
        if (row?.[0] === 'committed') {
          // A server whose process crashed has the same start, and may have given the number to another transaction.
          return (await isStored()) === true ? 'committed' : 'unknown';
        }
        if (row?.[0] !== 'in progress') {
          return 'unknown';
        }
      } catch {
        // The server may be starting: the next attempt asks again, and the last one ends as unknown.
      }
      await pause(OUTCOME_PAUSE_MS, undefined);
    }
    return 'unknown';
  }
}

/**
 * Begins a transaction and locks the repository, so that the changes of all processes queue.
 *
 * The transaction is READ COMMITTED and locks first. So each later statement sees every earlier change.
 * Without the lock, two processes built on the same head and acknowledged records were lost.
 * `no key` lets other transactions refer to the row.
 * @param preload A statement without parameters, whose rows begin with a text and have three more columns: `bytea`,
 *   `bytea` and `text`. It runs after the lock, in the same round trip.
 * @throws {RepoError} `RepoNotFound` if the repository was deleted; `Locked` after `lockTimeoutMs`; `StorageFailed`.
 */
export const beginTransaction = async (
  client: SqlClient,
  { repos }: TableNames,
  { did, id }: RepoRow,
  limits: TransactionLimits,
  preload?: string,
): Promise<Transaction> => {
  const doing = `beginning a change of ${did}`;
  const connection = await client.connect().catch((error: unknown) => {
    throw toSqlError(error, doing);
  });
  try {
    // In one round trip, so the number is part of the text. `set local` ends with the transaction, as a pooler needs.
    // The statement after the lock has a later snapshot, which has what the lock has waited for.
    const rows = await connection.run(
      `begin isolation level read committed;
      set local lock_timeout = ${limits.lockTimeoutMs};
      set local statement_timeout = ${limits.statementTimeoutMs};
      set local idle_in_transaction_session_timeout = ${limits.idleTimeoutMs};
      select from ${repos} where id = ${BigInt(id)} for no key update;
      select '${TRANSACTION}', null::bytea, null::bytea, pg_current_xact_id()::text || ' ' || ${STARTED}
      from ${repos} where id = ${BigInt(id)}
      ${preload === undefined ? '' : `union all (${preload})`}`,
    );
    const row = rows.find(([kind]) => kind === TRANSACTION);
    if (row === undefined) {
      throw new RepoError('RepoNotFound', `the repository was deleted: create it again to use it; did=${did}`);
    }
    const [number, started] = (row[3] as string).split(' ') as [string, string];
    return new Transaction(client, connection, did, { number, started }, rows);
  } catch (error) {
    await rollBack(connection);
    throw toSqlError(error, doing);
  }
};
