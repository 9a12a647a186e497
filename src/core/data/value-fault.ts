/** The error for a value that the data model forbids. */
import { RepoError } from '../errors.ts';
import type { ValuePath } from './value-path.ts';
import { formatPath } from './value-path.ts';

/** Most characters of an untrusted value in a message. */
const MAX_SHOWN = 80;

/** Returns a short form of a value: a text in quotes, a number, or the class or type of another value. */
const shown = (value: unknown): string => {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.slice(0, MAX_SHOWN));
    case 'bigint':
    case 'boolean':
    case 'number':
      return String(value).slice(0, MAX_SHOWN);
    case 'object':
      return value === null ? 'null' : String(Object.getPrototypeOf(value)?.constructor?.name ?? 'object');
    default:
      return typeof value;
  }
};

/**
 * Returns an `InvalidRecord` error, for example "the value has a float at /a/b: 1.5; store it as a string".
 * @param fault What the value has, with its article.
 * @param advice What the caller can do, as an imperative.
 * @param value The value at the path, if it tells more than the fault.
 */
export const valueFault = (fault: string, path: ValuePath, advice: string, ...value: readonly unknown[]): RepoError => {
  const found = value.length === 0 ? '' : `: ${shown(value[0])}`;
  return new RepoError('InvalidRecord', `the value has ${fault} at ${formatPath(path)}${found}; ${advice}`);
};

/** Returns the error for a number that is not a safe integer. */
export const numberFault = (value: bigint | number, path: ValuePath): RepoError =>
  typeof value === 'bigint' || Number.isInteger(value)
    ? valueFault('an integer outside of ±(2^53 - 1)', path, 'store it as a string', value)
    : valueFault('a float', path, 'store it as a string or an integer', value);

/** Returns the error for an object that is not a plain object. */
export const classFault = (value: object, path: ValuePath): RepoError =>
  valueFault('an object of a class', path, 'pass a plain object', value);

/** Returns the error for a `$link` that is not the text of a CID. */
export const linkFault = (text: unknown, path: ValuePath): RepoError =>
  valueFault('an invalid $link', path, 'use the text of a CIDv1 of dag-cbor or raw with SHA-256', text);

/** Returns the error for `$bytes` that are not base64. */
export const bytesFault = (text: unknown, path: ValuePath): RepoError =>
  valueFault('invalid $bytes', path, 'use base64 without padding', text);
