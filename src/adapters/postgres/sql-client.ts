/**
 * What the stores need of a PostgreSQL driver. Parameters and results are texts or bytes, so that every driver can
 * implement it: a statement casts its texts (`$1::text::int8`), and selects numbers as texts.
 */

/** A text, or bytes for a parameter of type `bytea`. */
export type SqlParameter = string | Uint8Array;

/** Bytes for a column of type `bytea`, a text for any other type. The bytes are the caller's. */
export type SqlCell = string | Uint8Array<ArrayBuffer> | null;

export type SqlRow = readonly SqlCell[];

export interface SqlSession {
  /** Runs one statement with the parameters `$1`, `$2`, … and returns its rows. The type of a parameter is cast in it. */
  query(text: string, parameters?: readonly SqlParameter[]): Promise<readonly SqlRow[]>;
}

/** One connection, which nobody else uses until it is released. */
export interface SqlConnection extends SqlSession {
  /** Runs several statements without parameters, in one round trip. Returns the rows of the last one. */
  run(statements: string): Promise<readonly SqlRow[]>;
  /** Returns the connection to its pool. With `broken`, ends it instead: the server then rolls back. */
  release(broken?: boolean): void;
}

/**
 * Connections to one database. `query` never waits for a connection of `connect`, because it is called while such a
 * connection is held. So a driver has two pools, or opens a connection for each `connect`.
 *
 * Errors of the server have a `code`, the SQLSTATE. Other errors have none of five characters: the connection failed.
 */
export interface SqlClient extends SqlSession {
  /** Takes a connection for a transaction. */
  connect(): Promise<SqlConnection>;
  /**
   * Runs a `COPY … TO STDOUT` without parameters, and calls `onChunk` with its bytes, in order. The bytes may change
   * after the call. Like `query`, it never waits for a connection of `connect`. Absent if the driver has no `COPY`:
   * then each block is read as a row, and reading a whole repository takes several times as long.
   */
  copyOut?(text: string, onChunk: (bytes: Uint8Array) => void): Promise<void>;
  /**
   * Calls `onNotice` with the payload of each notification of a channel, and connects again after a failure. Absent if
   * the driver or the pooler has no `LISTEN`. Returns a function that stops.
   */
  listen?(channel: string, onNotice: (payload: string) => void): Promise<() => Promise<void>>;
  /** Waits for running statements, then ends all connections. */
  close(): Promise<void>;
}
