/** The vectors of https://github.com/hyphacoop/dasl-testing, every case of every file. */
import { describe, expect, test } from 'vitest';
import { decodeCbor } from '../../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { vectorJson, vectorNames } from '../../vectors.ts';

interface Vector {
  readonly type: 'invalid_in' | 'invalid_out' | 'roundtrip';
  readonly data: string;
  readonly name: string;
}

const FLOAT = 'atproto has no floats';
const UNSAFE = 'atproto keeps integers to what JavaScript holds exactly, so that no implementation rounds them';
const BIGNUM = 'the vector is of CBOR::Core; there is no tag but 42';
const KEYS = 'the vector is of dCBOR; keys are texts';

/** Cases that the data model of atproto treats differently: it accepts, or refuses, what the suite does not. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'cid roundtrip Big DASL CID': 'atproto blesses SHA-256 and no other hash',
  'floats roundtrip 64-bit floats only': FLOAT,
  'floats roundtrip 64-bit subnormal number': FLOAT,
  'floats roundtrip float reduction': FLOAT,
  'floats roundtrip short NaN': FLOAT,
  'floats roundtrip zero float16': FLOAT,
  'floats roundtrip zero float64': FLOAT,
  'integer_range roundtrip -(2^53+1), unrepresentable in JS': UNSAFE,
  'integer_range roundtrip 2^53+1, unrepresentable in JS': UNSAFE,
  'integer_range roundtrip highest negative bigint': BIGNUM,
  'integer_range roundtrip largest CBOR integer, 2^64-1': UNSAFE,
  'integer_range roundtrip smallest CBOR integer, -(2^64)': UNSAFE,
  'integer_range roundtrip smallest unsigned bigint': BIGNUM,
  'numeric_reduction roundtrip map with equal int and float keys': KEYS,
  'numeric_reduction roundtrip too small for int reduction, <-(2^63)': FLOAT,
  'utf8 invalid_in text not in Unicode Normalization Form C':
    'the vector is of dCBOR; atproto leaves texts as they are',
};

/**
 * The value that must not come out as the bytes of an `invalid_out` case. Where the encoder takes it, it writes
 * something else.
 */
const UNWRITABLE: Readonly<Record<string, readonly [value: unknown, takes?: string]>> = {
  'floats invalid_out -Inf': [-Infinity],
  'floats invalid_out Inf': [Infinity],
  'floats invalid_out NaN': [Number.NaN],
  'floats invalid_out negative zero': [-0, '00'],
  'integer_range invalid_out bignum': [2n ** 64n],
  'map_keys invalid_out map with int key': [new Map([[0, 0]])],
  "simple invalid_out simple value 'undefined'": [undefined],
  // No value of the language is one; the nearest is a symbol.
  'simple invalid_out unassigned simple value': [Symbol('simple 0')],
  'tags invalid_out tagged object (datetime)': [new Date(0)],
};

const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('DASL vectors', () => {
  const files = vectorNames('dasl', /\.json$/);
  const cases = files.flatMap((file) =>
    vectorJson<Vector[]>(`dasl/${file}`).map((vector) => ({
      ...vector,
      title: `${file.slice(0, -'.json'.length)} ${vector.type} ${vector.name}`,
    })),
  );

  test('are present, and the tables here name no others', () => {
    const titles = new Set(cases.map(({ title }) => title));
    expect(cases.length).toBeGreaterThanOrEqual(100);
    expect(titles.size).toBe(cases.length);
    expect([...Object.keys(DIFFERENT), ...Object.keys(UNWRITABLE)].filter((title) => !titles.has(title))).toEqual([]);
    const unwritable = cases.filter(({ type }) => type === 'invalid_out').map(({ title }) => title);
    expect(Object.keys(UNWRITABLE).toSorted()).toEqual(unwritable.toSorted());
  });

  const refuses = (data: string): void => {
    expect(() => decodeCbor(fromHex(data))).toThrow(expect.objectContaining({ code: 'Malformed' }));
  };
  const roundTrips = (data: string): void => {
    expect(toHex(encodeCbor(decodeCbor(fromHex(data))))).toBe(data);
  };

  for (const { title, type, data } of cases) {
    const reason = DIFFERENT[title];
    test(reason === undefined ? title : `${title}: different, as ${reason}`, () => {
      // A table that is stale fails here: the case then goes the way of the suite.
      if (type === 'invalid_out') {
        const [value, takes] = UNWRITABLE[title]!;
        refuses(data);
        if (takes === undefined) {
          expect(() => encodeCbor(value)).toThrow(expect.objectContaining({ code: 'InvalidRecord' }));
        } else {
          expect(toHex(encodeCbor(value))).toBe(takes);
        }
      } else if ((type === 'roundtrip') === (reason === undefined)) {
        roundTrips(data);
      } else {
        refuses(data);
      }
    });
  }
});
