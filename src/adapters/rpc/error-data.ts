/** Errors across the wire: as data, and at the end where an error was thrown as the same object again. */
import { isError } from '../../core/data/platform-values.ts';
import type { RepoErrorCode } from '../../core/errors.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { ErrorData } from './protocol.ts';
import { uniqueName } from './unique-name.ts';

/** Errors that are kept at a time: an error comes back while its call is under way. */
const MAX_REMEMBERED = 64;
/** A cause may be its own cause: a chain is cut after so many. */
const MAX_CAUSES = 8;

const GONE = 'the tab that had the repository open went away while a stream was read: read it again';

/** The error of a call to a reference that this end does not have: it has replaced the end that had it. */
export const goneError = (): RepoError => new RepoError('StorageFailed', GONE);

/** Whether that is the error of a call. It crosses like every other one. */
export const isGone = (error: unknown): boolean => isRepoError(error, 'StorageFailed') && error.message === GONE;

export const versionError = (detail: string): RepoError =>
  new RepoError('StorageFailed', `the page and its worker are of different versions: reload all tabs; ${detail}`);

const rebuild = ({ name, message, code }: ErrorData, options: ErrorOptions): Error => {
  if (code !== undefined) {
    return new RepoError(code, message, options);
  }
  const error = name === 'TypeError' ? new TypeError(message, options) : new Error(message, options);
  error.name = name;
  return error;
};

export class ErrorBook {
  /** The errors of this end, the newest last, and the tokens of both ends' errors. */
  readonly #made = new Map<string, unknown>();
  readonly #foreign = new WeakMap<object, string>();

  toData(error: unknown, depth: number = MAX_CAUSES): ErrorData {
    const token = this.#tokenOf(error);
    if (!isError(error)) {
      // Any value can be thrown, or be the reason of an abort. DOMException is an Error everywhere by now.
      return { name: 'Error', message: String(error), token };
    }
    const { name, message, cause } = error;
    const code = name === 'RepoError' && 'code' in error ? (error.code as RepoErrorCode) : undefined;
    const inner = cause === undefined || depth === 0 ? undefined : this.toData(cause, depth - 1);
    return { name, message, code, cause: inner, token };
  }

  toError(data: ErrorData): unknown {
    const { cause, token } = data;
    if (this.#made.has(token)) {
      return this.#made.get(token);
    }
    const error = rebuild(data, cause === undefined ? {} : { cause: this.toError(cause) });
    this.#foreign.set(error, token);
    return error;
  }

  #tokenOf(error: unknown): string {
    const known = typeof error === 'object' && error !== null ? this.#foreign.get(error) : undefined;
    if (known !== undefined) {
      return known;
    }
    const token = uniqueName();
    this.#made.set(token, error);
    if (this.#made.size > MAX_REMEMBERED) {
      this.#made.delete(this.#made.keys().next().value!);
    }
    return token;
  }
}
