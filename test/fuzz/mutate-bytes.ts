/**
 * Changes to bytes of the kinds that break parsers: a bit, a byte, a length, or a chunk that is duplicated, dropped or
 * moved.
 */
import { concatBytes } from '../../src/core/data/bytes.ts';

export type Random = () => number;

export const below = (random: Random, limit: number): number => Math.floor(random() * limit);
export const pick = <T>(random: Random, items: readonly T[]): T => items[below(random, items.length)]!;

/** Heads and lengths at the limits of their encodings, and chunks of a repository. */
const DICTIONARY: readonly Uint8Array[] = [
  '00',
  '17',
  '1817',
  '18ff',
  '19ffff',
  '1affffffff',
  '1b001fffffffffffff',
  '1b0020000000000000',
  '1bffffffffffffffff',
  '20',
  '3bffffffffffffffff',
  '40',
  '5b4000000000000000',
  '5f',
  '60',
  '7b4000000000000000',
  '7f',
  '80',
  '9a00020001',
  '9b4000000000000000',
  '9f',
  'a0',
  'baffffffff',
  'bf',
  'c2',
  'd82a',
  'd82a582500',
  'f4',
  'f6',
  'f7',
  'f93c00',
  'fb3ff0000000000000',
  'ff',
  '8080808010',
  'ffffffffffffff7f',
  '808080808080808040',
  '6524747970656178',
  '695f5f70726f746f5f5f',
  '64626c6f62',
  '6165',
  '616c',
  '616b',
  '6170',
  '6174',
  '6176',
  '0171122000',
  '01551220',
].map((text) => Uint8Array.from(Buffer.from(text, 'hex')));

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const replaced = (bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array =>
  concatBytes([bytes.subarray(0, start), by, bytes.subarray(end)]);

const range = (bytes: Uint8Array, random: Random): [start: number, end: number] => {
  const start = below(random, bytes.length + 1);
  return [start, Math.min(bytes.length, start + 1 + below(random, random() < 0.8 ? 8 : bytes.length))];
};

const changed = (bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array => {
  const copy = bytes.slice();
  if (copy.length > 0) {
    copy[at] = change(copy[at]!);
  }
  return copy;
};

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => changed(bytes, below(random, bytes.length), (byte) => byte ^ (1 << below(random, 8))),
  (bytes, random) => changed(bytes, below(random, bytes.length), () => below(random, 256)),
  (bytes, random) => changed(bytes, below(random, bytes.length), (byte) => byte + (random() < 0.5 ? 1 : -1)),
  (bytes, random) => replaced(bytes, ...range(bytes, random), new Uint8Array()),
  (bytes, random) => {
    const [start, end] = range(bytes, random);
    return replaced(bytes, end, end, bytes.subarray(start, end));
  },
  (bytes, random) => {
    const at = below(random, bytes.length + 1);
    return replaced(bytes, at, at, pick(random, DICTIONARY));
  },
  (bytes, random) => {
    const at = below(random, bytes.length + 1);
    const word = pick(random, DICTIONARY);
    return replaced(bytes, at, Math.min(bytes.length, at + word.length), word);
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random);
    return replaced(
      replaced(bytes, start, end, new Uint8Array()),
      below(random, bytes.length - (end - start) + 1),
      below(random, bytes.length - (end - start) + 1),
      bytes.subarray(start, end),
    );
  },
  (bytes, random) => bytes.subarray(0, below(random, bytes.length + 1)),
];

/** Makes one to six changes. Always returns a new array. */
export const mutateBytes = (bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> => {
  let result = bytes;
  const rounds = random() < 0.7 ? 1 : 1 + below(random, 6);
  for (let i = 0; i < rounds; i++) {
    result = pick(random, MUTATIONS)(result, random);
  }
  return new Uint8Array(result);
};
