/** Constants and checksums of a WAL. https://sqlite.org/fileformat2.html#the_write_ahead_log */

export const LOG_HEADER = 32;
export const FRAME_HEADER = 24;
/** The magic for checksums over little-endian words. Plus one: big-endian words. */
export const LOG_MAGIC = 0x377f0682;
export const LOG_VERSION = 3_007_000;

/** The two 32-bit halves of a running checksum. */
export type Sums = readonly [number, number];

const wordAt = (bytes: Uint8Array, at: number, isBig: boolean): number =>
  isBig
    ? (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
    : (bytes[at + 3]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 1]! << 8) | bytes[at]!;

/** Continues SQLite's checksum over pairs of 32-bit words. */
export const addToSums = (
  [first, second]: Sums,
  bytes: Uint8Array,
  start: number,
  end: number,
  isBig: boolean,
): Sums => {
  let a = first | 0;
  let b = second | 0;
  for (let at = start; at < end; at += 8) {
    a = (a + wordAt(bytes, at, isBig) + b) | 0;
    b = (b + wordAt(bytes, at + 4, isBig) + a) | 0;
  }
  return [a, b];
};
