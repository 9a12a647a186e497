/** Maps errors of PostgreSQL to {@link RepoError}. https://www.postgresql.org/docs/current/errcodes-appendix.html */
import { errorCode } from '../../core/data/platform-values.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { SqlSession } from './sql-client.ts';

const LOCK_NOT_AVAILABLE = '55P03';
const QUERY_CANCELED = '57014';
const IDLE_IN_TRANSACTION = '25P03';
const DISK_FULL = '53100';
const INSUFFICIENT_PRIVILEGE = '42501';

/** Returns the SQLSTATE of an error of the server, or `undefined` if the connection failed. */
export const sqlStateOf = (error: unknown): string | undefined => {
  const code = errorCode(error);
  // With a digit, because `EPIPE` is an error of a socket.
  return code !== undefined && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined;
};

const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);

/**
 * Returns the `RepoError` of a failed statement or connection. `doing` completes the sentence "… failed". Returns a
 * `RepoError` unchanged.
 */
export const toSqlError = (error: unknown, doing: string): RepoError => {
  if (isRepoError(error)) {
    return error;
  }
  const found = (code: 'Locked' | 'StorageFailed' | 'StorageFull', why: string): RepoError =>
    new RepoError(code, `${doing} failed: ${why}`, { cause: error });
  const state = sqlStateOf(error);
  switch (state) {
    case LOCK_NOT_AVAILABLE:
      return found('Locked', 'another process changes the repository: try again, or raise lockTimeoutMs');
    case QUERY_CANCELED:
      return found('StorageFailed', 'PostgreSQL canceled the statement: try again, or raise statementTimeoutMs');
    case IDLE_IN_TRANSACTION:
      return found('StorageFailed', 'the change paused for too long: try again, or raise idleTimeoutMs');
    case DISK_FULL:
      return found('StorageFull', 'PostgreSQL has no space left. Free some and try again');
    case INSUFFICIENT_PRIVILEGE:
      return found('StorageFailed', `the role lacks a privilege: grant it (${messageOf(error)})`);
    case undefined:
      return found(
        'StorageFailed',
        `no connection to PostgreSQL: check the server and try again (${messageOf(error)})`,
      );
    default:
      return found('StorageFailed', `PostgreSQL refused the statement: ${messageOf(error)}; sqlstate=${state}`);
  }
};

/** Returns a session whose statements reject with a `RepoError`. `doing` completes the sentence "… failed". */
export const withSqlErrors = (session: SqlSession, doing: string): SqlSession => ({
  query: (text, parameters) =>
    session.query(text, parameters).catch((error: unknown) => {
      throw toSqlError(error, doing);
    }),
});
