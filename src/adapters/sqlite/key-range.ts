/** Ranges of keys in the order of SQLite, which is that of their UTF-8 bytes. */
import { compareText } from '../../core/data/bytes.ts';

/** Which rows to list, in the order of the keys' UTF-8 bytes: `after` and `before` are exclusive. All when left out. */
export interface KeyRange {
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly prefix?: string | undefined;
  /** From the last key to the first. */
  readonly reverse?: boolean | undefined;
  /** At most so many rows. */
  readonly limit?: number | undefined;
}

/** The keys of a page: from `lower` on (itself only when `inclusive`) to before `upper`. */
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

/** The least text that comes after every text with this prefix; `undefined` when there is none. */
const textPast = (prefix: string): string | undefined => {
  const points = [...prefix].map((character) => character.codePointAt(0)!);
  while (points.at(-1) === 0x10ffff) {
    points.pop();
  }
  const last = points.pop();
  if (last === undefined) {
    return undefined;
  }
  // Surrogates are no characters.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
};
