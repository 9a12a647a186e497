/** Ranges of keys in SQLite's order: the order of their UTF-8 bytes. */
import { compareText } from '../../core/data/bytes.ts';

/** Which rows to list, in the order of the keys' UTF-8 bytes. `after` and `before` are exclusive. Default: all rows. */
export interface KeyRange {
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly prefix?: string | undefined;
  /** From the last key to the first. */
  readonly reverse?: boolean | undefined;
  /** The largest number of rows. */
  readonly limit?: number | undefined;
}

/** The keys of a page: from `lower` (included if `inclusive`) to `upper` (excluded). */
export interface Bounds {
  readonly lower: string | undefined;
  readonly inclusive: boolean;
  readonly upper: string | undefined;
}

export const boundsOf = ({ after, before, prefix = '' }: KeyRange): Bounds => {
  const past = textPast(prefix);
  const upper = past === undefined || (before !== undefined && compareText(before, past) < 0) ? before : past;
  return after !== undefined && compareText(after, prefix) >= 0
    ? { lower: after, inclusive: false, upper }
    : { lower: prefix === '' ? undefined : prefix, inclusive: true, upper };
};

/** Returns the least text greater than every text with this prefix, or `undefined` if no text is. */
const textPast = (prefix: string): string | undefined => {
  const points = [...prefix].map((character) => character.codePointAt(0)!);
  while (points.at(-1) === 0x10ffff) {
    points.pop();
  }
  const last = points.pop();
  if (last === undefined) {
    return undefined;
  }
  // Surrogates (U+D800 to U+DFFF) have no UTF-8.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
};
