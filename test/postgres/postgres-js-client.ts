/** The driver `postgres` as a `SqlClient`: a second one shows that the interface is not that of `pg`. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type {
  SqlCell,
  SqlClient,
  SqlConnection,
  SqlParameter,
  SqlRow,
} from '../../src/adapters/postgres/sql-client.ts';

interface Query extends Promise<readonly SqlRow[] | readonly (readonly SqlRow[])[]> {
  values(): Query;
  simple(): Query;
}

interface Session {
  unsafe(text: string, parameters?: readonly unknown[]): Query;
}

interface Reserved extends Session {
  release(): void;
}

interface Sql extends Session {
  reserve(): Promise<Reserved>;
  end(): Promise<void>;
  listen(channel: string, onNotice: (payload: string) => void): Promise<{ unlisten(): Promise<void> }>;
}

const require = createRequire(import.meta.url);

const cellOf = (cell: unknown): SqlCell =>
  cell === null ? null : typeof cell === 'string' ? cell : new Uint8Array(cell as Uint8Array);

const ask = async (session: Session, text: string, parameters: readonly SqlParameter[] = []): Promise<SqlRow[]> => {
  const rows = (await session.unsafe(text, parameters).values()) as readonly SqlRow[];
  return rows.map((row) => row.map(cellOf));
};

export const connectPostgresJs = (url: string): SqlClient => {
  const connect = require(fileURLToPath(new URL('node_modules/postgres', import.meta.url))) as (
    url: string,
    settings: object,
  ) => Sql;
  const [reading, writing] = [8, 8].map((max) => connect(url, { max, onnotice: () => undefined })) as [Sql, Sql];
  return {
    query: (text, parameters) => ask(reading, text, parameters),
    async connect(): Promise<SqlConnection> {
      const session = await writing.reserve();
      return {
        query: (text, parameters) => ask(session, text, parameters),
        async run(statements) {
          const results = await session.unsafe(statements).simple().values();
          const last = (Array.isArray(results.at(-1)?.[0]) ? results.at(-1) : results) as readonly SqlRow[];
          return last.map((row) => row.map(cellOf));
        },
        // It cannot end a single connection. A connection that failed is not reused, and any other is rolled back.
        release: () => session.release(),
      };
    },
    async close() {
      await Promise.all([reading.end(), writing.end()]);
    },
  };
};
