/** Round trips of random values, and random damage. The seed is in the title of the test. */
import { decode as decodeByDagCbor } from '@ipld/dag-cbor';
import { describe, expect, test } from 'vitest';
import { equalBytes } from '../../../src/core/data/bytes.ts';
import { checkCbor } from '../../../src/core/data/cbor-check.ts';
import { decodeCbor } from '../../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { CODEC_DAG_CBOR, CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';
import { isRepoError } from '../../../src/core/errors.ts';
import { fromJson, toJson } from '../../../src/core/data/json.ts';
import { seeded } from '../../random/seeded.ts';

const SEEDS = [1, 2, 3, Number(process.env['PDSDB_SEED'] ?? 4)];
const VALUES = 400;
const MUTANTS = 20;

const CHARACTERS = [
  'a',
  'b',
  'z',
  '$',
  '/',
  '~',
  '\0',
  '"',
  '\ufeff',
  'é',
  'ß',
  '水',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '\u{10ffff}',
];
const KEYS = ['$type', '__proto__', 'constructor', 'toString', '0', '1', '10', 'length', ''];

/** Random values of the data model of every kind, with many at the limits. */
const valuesFrom = (random: () => number): ((depth: number) => unknown) => {
  const below = (limit: number): number => Math.floor(random() * limit);
  const textOf = (length: number): string =>
    Array.from({ length }, () => CHARACTERS[below(CHARACTERS.length)]!).join('');
  const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, () => below(256));
  const integer = (): number => {
    const size = Math.min(2 ** below(54) + below(3) - 1, Number.MAX_SAFE_INTEGER);
    return random() < 0.5 || size === 0 ? size : -size;
  };
  const key = (): string => (random() < 0.3 ? KEYS[below(KEYS.length)]! : textOf(below(5)));
  const value = (depth: number): unknown => {
    switch (below(depth > 4 ? 7 : 10)) {
      case 0:
        return null;
      case 1:
        return random() < 0.5;
      case 2:
      case 3:
        return integer();
      case 4:
        return textOf(random() < 0.1 ? below(400) : below(30));
      case 5:
        return bytesOf(random() < 0.1 ? below(400) : below(30));
      case 6:
        return cidOf(random() < 0.5 ? CODEC_RAW : CODEC_DAG_CBOR, bytesOf(4));
      case 7:
        return Array.from({ length: below(6) }, () => value(depth + 1));
      default: {
        const map = Object.create(null) as Record<string, unknown>;
        for (let i = below(7); i > 0; i--) {
          map[key()] = value(depth + 1);
        }
        return map;
      }
    }
  };
  return value;
};

/** A copy with one thing wrong, or, now and then, with nothing wrong. */
const damage = (bytes: Uint8Array, random: () => number): Uint8Array => {
  const at = Math.floor(random() * bytes.length);
  const kind = random();
  if (kind < 0.6) {
    const copy = bytes.slice();
    copy[at] = kind < 0.3 ? Math.floor(random() * 256) : copy[at]! ^ (1 << Math.floor(random() * 8));
    return copy;
  }
  if (kind < 0.7) {
    return bytes.slice(0, at);
  }
  const middle = kind < 0.8 ? [] : kind < 0.9 ? [bytes[at]!, bytes[at]!] : [Math.floor(random() * 256), bytes[at]!];
  return Uint8Array.from([...bytes.subarray(0, at), ...middle, ...bytes.subarray(at + 1)]);
};

const hasByteOrderMark = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('\ufeff');

/** Whether a call succeeds; anything but `Malformed` comes out. */
const accepts = (call: () => unknown): boolean => {
  try {
    call();
    return true;
  } catch (error) {
    if (isRepoError(error, 'Malformed')) {
      return false;
    }
    throw error;
  }
};

describe.each(SEEDS)('seed %d', (seed) => {
  test(`${VALUES} random values are written by @ipld/dag-cbor, and both decoders return them`, () => {
    const value = valuesFrom(seeded(seed));
    let compared = 0;
    for (let i = 0; i < VALUES; i++) {
      const before = value(0);
      const bytes = encodeCbor(before);
      const after = decodeCbor(bytes);
      expect(after).toEqual(before);
      expect(equalBytes(encodeCbor(after), bytes)).toBe(true);
      // The library drops byte order marks, and so finds two keys where there is one.
      if (!hasByteOrderMark(bytes)) {
        compared += 1;
        expect(decodeByDagCbor(bytes)).toEqual(after);
      }
    }
    expect(compared).toBeGreaterThan(VALUES / 2);
  });

  test(`${VALUES} random records convert to JSON and back`, () => {
    const value = valuesFrom(seeded(seed));
    let count = 0;
    while (count < VALUES) {
      const before = value(0);
      const text = JSON.stringify(toJson(before));
      // A random $type is seldom one, and its refusal is tested elsewhere.
      if (!text.includes('"$type"')) {
        expect(equalBytes(encodeCbor(fromJson(JSON.parse(text))), encodeCbor(before))).toBe(true);
        count += 1;
      }
    }
  });

  test('damaged bytes are malformed, or are the one encoding of another value', () => {
    const random = seeded(seed);
    const value = valuesFrom(random);
    let accepted = 0;
    for (let i = 0; i < VALUES; i++) {
      const bytes = encodeCbor(value(0));
      for (let j = 0; j < MUTANTS; j++) {
        const mutant = damage(bytes, random);
        const isAccepted = accepts(() => checkCbor(mutant));
        expect(accepts(() => decodeCbor(mutant))).toBe(isAccepted);
        if (isAccepted) {
          accepted += 1;
          expect(equalBytes(encodeCbor(decodeCbor(mutant)), mutant)).toBe(true);
        }
      }
    }
    // Both ways have been taken.
    expect(accepted).toBeGreaterThan(VALUES);
    expect(accepted).toBeLessThan(VALUES * MUTANTS);
  });

  test('UTF-8 is validated as TextDecoder does', () => {
    const random = seeded(seed);
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const LEADS = [0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff];
    const REST = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0];
    const pick = (from: readonly number[]): number => from[Math.floor(random() * from.length)]!;
    const wrong: string[] = [];
    let valid = 0;
    for (let i = 0; i < 20_000; i++) {
      const text = Uint8Array.from([
        pick(LEADS),
        ...Array.from({ length: Math.floor(random() * 4) }, () => pick(REST)),
      ]);
      let expected: string | undefined;
      try {
        expected = decoder.decode(text);
        valid += 1;
      } catch (error) {
        // The error of `fatal`.
        if (!(error instanceof TypeError)) {
          throw error;
        }
      }
      const bytes = Uint8Array.from([0x60 | text.length, ...text]);
      const isAccepted = accepts(() => checkCbor(bytes));
      if (isAccepted !== (expected !== undefined) || (isAccepted && decodeCbor(bytes) !== expected)) {
        wrong.push(Buffer.from(text).toString('hex'));
      }
    }
    expect(wrong).toEqual([]);
    expect(valid).toBeGreaterThan(500);
  });
});
