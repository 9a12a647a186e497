/**
 * The order of a map's keys in DAG-CBOR: the shorter first, then by bytes. Both are those of UTF-8, which the
 * language's own order of texts, by units of UTF-16, does not follow outside of ASCII.
 */
import { compareBytes } from './bytes.ts';

const ASCII = /^[\0-\x7f]*$/;
const encoder = /* @__PURE__ */ new TextEncoder();

/** For ASCII a character is a byte. */
const compareAscii = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);

const compareText = (a: string, b: string): number => {
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  return left.length - right.length || compareBytes(left, right);
};

/** Sorts keys, no two of which are equal, in place. */
export const sortKeys = (keys: string[]): string[] =>
  keys.sort(keys.every((key) => ASCII.test(key)) ? compareAscii : compareText);
