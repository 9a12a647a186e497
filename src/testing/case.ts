/**
 * A conformance suite is data: a list of cases, each a name and a function. Whoever runs one is a loop, under any
 * test framework or none:
 *
 *     for (const { name, run } of blockStoreCases) test(name, () => run(harness));
 *
 * What is asserted here throws an `Error` with a readable message, and depends on nothing.
 */
import { isRepoError } from '../core/errors.ts';
import type { RepoErrorCode } from '../core/errors.ts';
import { errorName, isBytes, isError } from '../core/data/platform-values.ts';

/** One thing that every implementation of a port promises. Passes when `run` resolves. */
export interface Case<H> {
  readonly name: string;
  /** @throws {SkippedCase} when the harness lacks what the case needs. */
  readonly run: (harness: H) => Promise<void>;
}

/** Why a case did not run: the harness has said that it cannot do what the case needs. Neither a pass nor a failure. */
export class SkippedCase extends Error {
  override readonly name = 'SkippedCase';
}

/** Ends a case as skipped, by name and with the reason. */
export const skip = (reason: string): never => {
  throw new SkippedCase(reason);
};

/** Tells a {@link SkippedCase} apart, also one that came from a second copy of this library. */
export const isSkippedCase = (value: unknown): value is SkippedCase => isError(value) && value.name === 'SkippedCase';

/** A value for a message: short, and telling bytes, text and `undefined` apart. */
const show = (value: unknown): string => {
  if (isBytes(value)) {
    const start = [...value.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    return `${value.length} bytes [${start}${value.length > 16 ? ' …' : ''}]`;
  }
  if (Array.isArray(value)) {
    return `[${value.slice(0, 8).map(show).join(', ')}${value.length > 8 ? `, … ${value.length} in all` : ''}]`;
  }
  if (isError(value)) {
    return `${value.name}: ${value.message}`;
  }
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
};

const isSame = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) {
    return true;
  }
  const lists = (Array.isArray(a) && Array.isArray(b)) || (isBytes(a) && isBytes(b));
  if (!lists || a.length !== b.length) {
    return false;
  }
  for (let i = 0; i < a.length; i++) {
    if (!isSame(a[i], b[i])) {
      return false;
    }
  }
  return true;
};

/** @throws {Error} unless `condition` holds; `what` says what should have. */
export const assert: (condition: boolean, what: string) => asserts condition = (condition, what) => {
  if (!condition) {
    throw new Error(what);
  }
};

/**
 * Compares plain values, byte arrays by their content, and lists of these. Anything else has to be the same object:
 * compare CIDs by their text.
 * @throws {Error} that shows both, unless they are the same.
 */
export const assertEqual = (actual: unknown, expected: unknown, what: string): void => {
  if (!isSame(actual, expected)) {
    throw new Error(`${what}: expected ${show(expected)}, got ${show(actual)}`);
  }
};

/** What `run` rejects with. @throws {Error} when it resolves. */
export const rejectionOf = async (run: () => unknown, what: string): Promise<unknown> => {
  let answer: unknown;
  try {
    answer = await run();
  } catch (error) {
    return error;
  }
  throw new Error(`${what}: expected a rejection, got ${show(answer)}`);
};

/** @throws {Error} unless `run` throws or rejects with a `TypeError` whose message says what was expected. */
export const assertTypeError = async (run: () => unknown, what: string): Promise<void> => {
  const error = await rejectionOf(run, what);
  // Those of the language itself speak of reading properties of undefined.
  if (errorName(error) !== 'TypeError' || !(error as Error).message.includes('expected')) {
    throw new Error(`${what}: expected a TypeError that says what is expected, got ${show(error)}`, { cause: error });
  }
};

/** @throws {Error} unless `run` throws or rejects with a `RepoError` of this code. */
export const assertRejects = async (run: () => unknown, code: RepoErrorCode, what: string): Promise<void> => {
  const error = await rejectionOf(run, what);
  if (!isRepoError(error, code)) {
    throw new Error(`${what}: expected RepoError ${code}, got ${show(error)}`, { cause: error });
  }
};
