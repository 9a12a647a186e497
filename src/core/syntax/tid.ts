/**
 * TIDs: 13 characters that sort by time. 53 bits of microseconds since 1970, then 10 bits of a clock id.
 * https://atproto.com/specs/tid
 */
import { RepoError } from '../errors.ts';

declare const tid: unique symbol;
/** A text that was checked to be a TID. */
export type Tid = string & { readonly [tid]: true };

const ALPHABET = '234567abcdefghijklmnopqrstuvwxyz';
const PATTERN = /^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$/;
const CLOCK_BITS = 10n;

/** The least TID. It is the rev of a version 2 commit without a rev. */
export const ZERO_TID: Tid = '2222222222222' as Tid;

export const isTid = (text: string): text is Tid => PATTERN.test(text);

/** @throws {RepoError} `Malformed` when the text is not a TID. */
export const parseTid = (text: string): Tid => {
  if (!isTid(text)) {
    throw new RepoError('Malformed', `not a TID: use 13 of 2-7 a-z; text=${text.slice(0, 80)}`);
  }
  return text;
};

/**
 * Returns the TID of a time in microseconds since 1970 and of a clock id (0 to 1023).
 * @throws {RepoError} `LimitExceeded` when the time or the clock id is out of range.
 */
export const tidOf = (microseconds: number, clock: number): Tid => {
  if (
    !Number.isSafeInteger(microseconds) ||
    microseconds < 0 ||
    !Number.isInteger(clock) ||
    clock < 0 ||
    clock > 1023
  ) {
    throw new RepoError(
      'LimitExceeded',
      `the time or the clock id of a TID is out of range: check the clock; microseconds=${microseconds} clock=${clock}`,
    );
  }
  // A number has 53 bits, a TID 63.
  let bits = (BigInt(microseconds) << CLOCK_BITS) | BigInt(clock);
  let text = '';
  for (let i = 0; i < 13; i++) {
    text = ALPHABET[Number(bits & 31n)]! + text;
    bits >>= 5n;
  }
  return text as Tid;
};

const bitsOf = (value: Tid): bigint => {
  let bits = 0n;
  for (const character of value) {
    bits = (bits << 5n) | BigInt(ALPHABET.indexOf(character));
  }
  return bits;
};

/** Returns the time of a TID, in microseconds since 1970. Times after the year 2255 exceed 53 bits and are rounded. */
export const tidToMicroseconds = (value: Tid): number => Number(bitsOf(value) >> CLOCK_BITS);

/** A monotonic clock. */
export interface TidClock {
  /**
   * Returns a TID that is later than all earlier ones of this clock, and later than `after`.
   * @throws {RepoError} `LimitExceeded` when `after` is the last TID (the year 2255).
   */
  next(after?: Tid): Tid;
  /** Goes back to the present, if `after` was in the future. */
  rewind(): void;
}

/** Returns a clock over the wall clock. Its clock id is random, 0 to 31 as in the reference implementation. */
export const createTidClock = (
  now: () => number = Date.now,
  clock: number = Math.floor(Math.random() * 32),
): TidClock => {
  let last = 0;
  return {
    next(after) {
      const floor = after === undefined ? 0 : tidToMicroseconds(after) + 1;
      const time = Math.max(Math.floor(now() * 1000), last + 1, floor);
      const tid = tidOf(time, clock);
      last = time;
      return tid;
    },
    rewind() {
      // To the end of this millisecond, because some of its TIDs may be in use.
      last = Math.min(last, Math.floor(now()) * 1000 + 999);
    },
  };
};
