/** Errors across the wire: as data, and at the end where an error was thrown as the same object again. */
import type { RepoErrorCode } from '../../core/errors.ts';
import { RepoError } from '../../core/errors.ts';
import type { ErrorData } from './protocol.ts';
import { isError } from '../../core/data/platform-values.ts';
import { uniqueName } from './unique-name.ts';

/** Errors that are kept at a time: an error comes back while its call is under way. */
const MAX_REMEMBERED = 64;
/** A cause may be its own cause: a chain is cut after so many. */
const MAX_CAUSES = 8;

export interface ErrorBook {
  toData(error: unknown): ErrorData;
  toError(data: ErrorData): unknown;
}

const rebuild = ({ name, message, code }: ErrorData, options: ErrorOptions): Error => {
  if (code !== undefined) {
    return new RepoError(code, message, options);
  }
  if (name === 'TypeError') {
    return new TypeError(message, options);
  }
  const error = new Error(message, options);
  error.name = name;
  return error;
};

export const createErrorBook = (): ErrorBook => {
  const prefix = uniqueName();
  const made = new Map<string, unknown>();
  /** Tokens of errors that the other end has made. */
  const foreign = new WeakMap<object, string>();
  let count = 0;

  const tokenOf = (error: unknown): string => {
    const known = typeof error === 'object' && error !== null ? foreign.get(error) : undefined;
    if (known !== undefined) {
      return known;
    }
    const token = `${prefix}.${count++}`;
    made.set(token, error);
    for (const oldest of made.keys()) {
      if (made.size <= MAX_REMEMBERED) {
        break;
      }
      made.delete(oldest);
    }
    return token;
  };

  const toData = (error: unknown, depth: number): ErrorData => {
    if (!isError(error)) {
      // Any value can be thrown, or be the reason of an abort. DOMException is an Error everywhere by now.
      return { name: 'Error', message: String(error), token: tokenOf(error) };
    }
    const code = error.name === 'RepoError' && 'code' in error ? (error.code as RepoErrorCode) : undefined;
    const cause = error.cause === undefined || depth === 0 ? undefined : toData(error.cause, depth - 1);
    return { name: error.name, message: error.message, code, cause, token: tokenOf(error) };
  };

  const toError = (data: ErrorData): unknown => {
    const { cause, token } = data;
    if (token !== undefined && made.has(token)) {
      return made.get(token);
    }
    const error = rebuild(data, cause === undefined ? {} : { cause: toError(cause) });
    if (token !== undefined) {
      foreign.set(error, token);
    }
    return error;
  };

  return { toData: (error) => toData(error, MAX_CAUSES), toError };
};

/** Returns an error as data, where no call brings it back. */
export const toErrorData = (error: unknown): ErrorData => createErrorBook().toData(error);

/** Returns the error of data that comes outside of a call. */
export const fromErrorData = (data: ErrorData): unknown => createErrorBook().toError(data);
