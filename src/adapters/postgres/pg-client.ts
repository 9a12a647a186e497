/** The driver `pg`, version 8, as a {@link SqlClient}. It is a peer dependency, so its types are declared here. */
import { RepoError } from '../../core/errors.ts';
import type { SqlCell, SqlClient, SqlConnection, SqlRow } from './sql-client.ts';

interface PgResult {
  readonly rows: readonly (readonly (string | Uint8Array | null)[])[];
}

interface PgQuery {
  readonly text: string;
  readonly values?: readonly unknown[] | undefined;
  readonly rowMode: 'array';
  readonly types: { getTypeParser(type: number, format?: string): (text: string) => unknown };
}

/** A statement whose messages can be handled here. */
interface PgStatement {
  handleCopyData(message: { readonly chunk: Uint8Array }): void;
}

interface PgSession {
  query(query: PgQuery): Promise<PgResult | readonly PgResult[]>;
  query(statement: PgStatement): Promise<unknown>;
}

interface PgEvents {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (message: { readonly payload?: string | undefined }) => void): unknown;
}

interface PgPoolClient extends PgSession, PgEvents {
  off(event: 'error', listener: (error: Error) => void): unknown;
  release(destroy?: boolean): void;
}

interface PgPool extends PgSession, PgEvents {
  connect(): Promise<PgPoolClient>;
  end(): Promise<void>;
}

interface PgClient extends PgSession, PgEvents {
  connect(): Promise<void>;
  end(): Promise<void>;
}

/** The settings of `pg.Pool` that are used here. Any other setting of `pg`, such as `ssl`, is handed on. */
export interface PgSettings {
  readonly connectionString?: string | undefined;
  readonly max?: number | undefined;
  readonly connectionTimeoutMillis?: number | undefined;
  readonly keepAlive?: boolean | undefined;
  readonly [setting: string]: unknown;
}

/** The module `pg`. */
export interface Pg {
  readonly Pool: new (settings: PgSettings) => PgPool;
  readonly Client: new (settings: PgSettings) => PgClient;
  readonly Query: new (query: { readonly text: string }) => PgStatement;
  readonly types: { getTypeParser(type: number, format: 'text'): (text: string) => unknown };
}

/** Connections, timeouts, and settings of `pg`. */
export interface PgOptions extends PgSettings {
  /** Most connections for reads and blobs. */
  readonly readers: number;
  /** Most connections for changes. Each running change has one. */
  readonly writers: number;
}

const BYTEA = 17;
/** Wait for a connection, in milliseconds. */
const CONNECTION_TIMEOUT_MS = 30_000;
const RECONNECT_MS = 500;

/**
 * A connection that fails while no statement runs emits an error, which ends the process if nobody listens. The next
 * statement of the connection rejects, and a pool opens another connection.
 */
const ignoreLoss = (): void => {};

/** Loads `pg`. @throws {RepoError} `Unsupported` if it is not installed. */
export const loadPg = async (): Promise<Pg> => {
  try {
    // Not known to the compiler, because the package is optional.
    const loaded = (await import('pg' as string)) as { readonly default: Pg };
    return loaded.default;
  } catch (cause) {
    throw new RepoError('Unsupported', 'the package pg is missing: run npm install pg, or pass a client', { cause });
  }
};

/**
 * Returns a client over two pools of `pg`, so that a read inside a change never waits for the connection of a change.
 * It connects when it is first used.
 */
export const pgClient = (pg: Pg, { readers, writers, ...settings }: PgOptions): SqlClient => {
  const poolOf = (max: number): PgPool => {
    const pool = new pg.Pool({ connectionTimeoutMillis: CONNECTION_TIMEOUT_MS, keepAlive: true, ...settings, max });
    pool.on('error', ignoreLoss);
    return pool;
  };
  const [reading, writing] = [poolOf(readers), poolOf(writers)];

  const parseBytes = pg.types.getTypeParser(BYTEA, 'text');
  // A `Buffer` has another `slice`. A small one keeps a chunk of memory that it shares, so it is copied.
  const bytesOf = (text: string): Uint8Array<ArrayBuffer> => {
    const bytes = parseBytes(text) as Uint8Array<ArrayBuffer>;
    return bytes.length === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);
  };
  const types = { getTypeParser: (type: number) => (type === BYTEA ? bytesOf : (text: string): string => text) };

  const ask = async (session: PgSession, text: string, values?: readonly unknown[]): Promise<readonly SqlRow[]> => {
    const result = await session.query({ text, values, rowMode: 'array', types });
    const last = Array.isArray(result) ? (result.at(-1) as PgResult) : (result as PgResult);
    return last.rows as readonly (readonly SqlCell[])[];
  };

  return {
    query: (text, parameters = []) => ask(reading, text, parameters),
    async copyOut(text, onChunk) {
      const statement = new pg.Query({ text });
      statement.handleCopyData = ({ chunk }) => onChunk(chunk);
      await reading.query(statement);
    },
    async connect(): Promise<SqlConnection> {
      const client = await writing.connect();
      client.on('error', ignoreLoss);
      return {
        query: (text, parameters = []) => ask(client, text, parameters),
        run: (statements) => ask(client, statements),
        release(broken = false) {
          client.off('error', ignoreLoss);
          client.release(broken);
        },
      };
    },
    listen: (channel, onNotice) => listenOn(() => new pg.Client({ keepAlive: true, ...settings }), channel, onNotice),
    async close() {
      await Promise.all([reading.end(), writing.end()]);
    },
  };
};

/** Listens on a connection of its own, and opens another one when it ends. */
const listenOn = async (
  open: () => PgClient,
  channel: string,
  onNotice: (payload: string) => void,
): Promise<() => Promise<void>> => {
  let current: PgClient | undefined;
  let isStopped = false;
  const start = async (): Promise<void> => {
    const client = open();
    client.on('error', ignoreLoss);
    client.on('notification', ({ payload }) => onNotice(payload ?? ''));
    await client.connect();
    await client.query({ text: `listen "${channel}"`, rowMode: 'array', types: { getTypeParser: () => String } });
    current = client;
    client.on('end', again);
  };
  const again = (): void => {
    if (!isStopped) {
      setTimeout(() => void (isStopped ? undefined : start().catch(again)), RECONNECT_MS);
    }
  };
  await start();
  return async () => {
    isStopped = true;
    await current?.end();
  };
};
