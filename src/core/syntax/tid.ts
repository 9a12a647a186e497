/**
 * TIDs: 13 characters that sort by time. 53 bits of microseconds since 1970, then 10 bits that tell clocks apart.
 * https://atproto.com/specs/tid
 */
import { RepoError } from '../errors.ts';

declare const tid: unique symbol;
/** A text that has been checked to be a TID. */
export type Tid = string & { readonly [tid]: true };

const ALPHABET = '234567abcdefghijklmnopqrstuvwxyz';
const PATTERN = /^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$/;
const CLOCK_BITS = 10n;

/** The least TID there is. It stands for the rev of a version 2 commit that has none. */
export const ZERO_TID: Tid = '2222222222222' as Tid;

export const isTid = (text: string): text is Tid => PATTERN.test(text);

/** @throws {RepoError} `Malformed` when the text is not a TID. */
export const parseTid = (text: string): Tid => {
  if (!isTid(text)) {
    throw new RepoError('Malformed', `not a TID; text=${text.slice(0, 80)}`);
  }
  return text;
};

/**
 * The TID of a time in microseconds since 1970 and of a clock (0 to 1023).
 * @throws {RepoError} `LimitExceeded` for a time or a clock that is out of range: its text would be no TID.
 */
export const tidOf = (microseconds: number, clock: number): Tid => {
  if (
    !Number.isSafeInteger(microseconds) ||
    microseconds < 0 ||
    !Number.isInteger(clock) ||
    clock < 0 ||
    clock > 1023
  ) {
    throw new RepoError('LimitExceeded', `no TID has this time and clock; microseconds=${microseconds} clock=${clock}`);
  }
  // 63 bits do not fit a number.
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

/**
 * The time of a TID, in microseconds since 1970. Rounded past the year 2255, where 53 bits end and the syntax does not.
 */
export const tidToMicroseconds = (value: Tid): number => Number(bitsOf(value) >> CLOCK_BITS);

/** A clock that never repeats itself and never goes back. */
export interface TidClock {
  /**
   * A TID later than every one before it from this clock, and later than `after`.
   * @throws {RepoError} `LimitExceeded` when `after` is the end of time (the year 2255).
   */
  next(after?: Tid): Tid;
  /** Goes back to the present, if the clock is ahead of it: `next` was told of a TID from the future. */
  rewind(): void;
}

/** A clock over the wall clock. Its clock id is drawn once, out of 0 to 31 as the reference implementation does. */
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
      // To the end of this millisecond: some of its TIDs may have been given out.
      last = Math.min(last, Math.floor(now()) * 1000 + 999);
    },
  };
};
