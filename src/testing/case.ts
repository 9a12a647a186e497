/**
 * A conformance suite is a list of cases. A case has a name and a function. A loop runs them in any test framework:
 *
 *     for (const { name, run } of blockStoreCases) test(name, () => run(harness));
 *
 * A failed assertion throws an `Error` with a readable message. No test framework is needed.
 */
import { isRepoError } from '../core/errors.ts';
import type { RepoErrorCode } from '../core/errors.ts';
import { errorName, isBytes, isError } from '../core/data/platform-values.ts';

/** A test case of a port. It passes if `run` resolves. */
export interface Case<H> {
  readonly name: string;
  /** @throws {SkippedCase} if the harness lacks something that the case needs. */
  readonly run: (harness: H) => Promise<void>;
}

/** The reason why a case did not run: the harness cannot do what the case needs. The case neither passes nor fails. */
export class SkippedCase extends Error {
  override readonly name = 'SkippedCase';
}

/** Ends a case as skipped, with a reason. */
export const skip = (reason: string): never => {
  throw new SkippedCase(reason);
};

/** Returns whether a value is a {@link SkippedCase}, also one of another copy of this library. */
export const isSkippedCase = (value: unknown): value is SkippedCase => isError(value) && value.name === 'SkippedCase';

/** Formats a value for a message: short, with different forms for bytes, text and `undefined`. */
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

/** @throws {Error} if `condition` is false. `what` describes the condition. */
export const assert: (condition: boolean, what: string) => asserts condition = (condition, what) => {
  if (!condition) {
    throw new Error(what);
  }
};

/**
 * Compares plain values, byte arrays by their content, and lists of these. Other objects must be identical, so compare
 * CIDs by their text.
 * @throws {Error} if they differ. The message shows both.
 */
export const assertEqual = (actual: unknown, expected: unknown, what: string): void => {
  if (!isSame(actual, expected)) {
    throw new Error(`${what}: expected ${show(expected)}, got ${show(actual)}`);
  }
};

/** Returns the error with which `run` rejects. @throws {Error} if it resolves. */
export const rejectionOf = async (run: () => unknown, what: string): Promise<unknown> => {
  let result: unknown;
  try {
    result = await run();
  } catch (error) {
    return error;
  }
  throw new Error(`${what}: expected a rejection, got ${show(result)}`);
};

/** @throws {Error} if `run` does not throw or reject with a `TypeError` whose message names the expected value. */
export const assertTypeError = async (run: () => unknown, what: string): Promise<void> => {
  const error = await rejectionOf(run, what);
  // A TypeError of the engine has a message such as "Cannot read properties of undefined".
  if (errorName(error) !== 'TypeError' || !(error as Error).message.includes('expected')) {
    throw new Error(`${what}: expected a TypeError that says what is expected, got ${show(error)}`, { cause: error });
  }
};

/** @throws {Error} if `run` does not throw or reject with a `RepoError` of this code. */
export const assertRejects = async (run: () => unknown, code: RepoErrorCode, what: string): Promise<void> => {
  const error = await rejectionOf(run, what);
  if (!isRepoError(error, code)) {
    throw new Error(`${what}: expected RepoError ${code}, got ${show(error)}`, { cause: error });
  }
};
