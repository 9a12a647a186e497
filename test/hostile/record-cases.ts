/**
 * Records that break the data model. They are reported by default, refused on request, and never decoded as another
 * value.
 */
import { concatBytes } from '../../src/core/data/bytes.ts';
import { POST, rkeyOf } from '../../src/testing/repo/harness.ts';
import { hex } from '../core/mst/raw-node.ts';
import type { Entry } from './build-repository.ts';
import { blockOfBytes, carOf, posts, repositoryOf } from './build-repository.ts';
import type { HostileCase, HostileClass } from './hostile-case.ts';

/** `"$type": "x"` */
const TYPE = hex('6524747970656178');
const CID_BYTES = posts(1)[0]![1].cid.bytes;
const repeat = (byte: number, count: number): Uint8Array => new Uint8Array(count).fill(byte);

/** `{ "a": …, "$type": "x" }` */
const field = (...value: readonly Uint8Array[]): Uint8Array => concatBytes([hex('a2 6161'), ...value, TYPE]);
const f = (value: string): Uint8Array => field(hex(value));

const records: Readonly<Record<string, Uint8Array>> = {
  'no bytes': new Uint8Array(),
  'a list': hex('80'),
  'a text': hex('6178'),
  'a map without $type': hex('a1 6161 01'),
  'an empty $type': hex('a1 652474797065 60'),
  'a $type that is a number': hex('a1 652474797065 01'),
  'a list without an end': f('9f01ff'),
  'a map without an end': f('bf616101ff'),
  'bytes in pieces': f('5f4101ff'),
  'a text in pieces': f('7f6161ff'),
  'an integer in two bytes that fits one': f('1817'),
  'an integer in three bytes that fits two': f('1900ff'),
  'an integer in five bytes that fits three': f('1a0000ffff'),
  'an integer in nine bytes that fits five': f('1b00000000ffffffff'),
  'a length in two bytes that fits one': f('780161'),
  'keys out of order': hex('a2 6162 01 6161 01'),
  'keys by bytes and not by length': hex('a2 626161 01 6162 01'),
  'a key twice': concatBytes([hex('a3 6161 01 6161 02'), TYPE]),
  'a key that is a number': concatBytes([hex('a2 01 01'), TYPE]),
  'a key that is bytes': concatBytes([hex('a2 4161 01'), TYPE]),
  'a date': f('c0 60'),
  'a large number as a tag': f('c2 4101'),
  'a negative one': f('c3 4101'),
  'the tag that says CBOR': f('d9d9f7 01'),
  'a link without the zero': field(hex('d82a 5824'), CID_BYTES),
  'a link as a text': f('d82a 6178'),
  'a link with bytes after it': field(hex('d82a 5826 00'), CID_BYTES, hex('00')),
  'a link in a long tag': field(hex('d9002a 5825 00'), CID_BYTES),
  'a link of another kind': field(hex('d82a 5825 00 02'), CID_BYTES.subarray(1)),
  undefined: f('f7'),
  'a simple value': f('e0'),
  'a simple value of two bytes': f('f8ff'),
  'half a float': f('f93c00'),
  'a float of four bytes': f('fa3f800000'),
  'a float': f('fb3ff8000000000000'),
  'a float that is 1': f('fb3ff0000000000000'),
  '-0': f('fb8000000000000000'),
  'not a number': f('f97e00'),
  'an infinity': f('f97c00'),
  'a break': f('ff'),
  'a reserved head': f('1c'),
  'bytes after the record': concatBytes([hex('a1'), TYPE, hex('00')]),
  'two records': concatBytes([hex('a1'), TYPE, hex('a1'), TYPE]),
  'a truncated record': concatBytes([hex('a1'), TYPE.subarray(0, 6)]),
  '10,000 lists in each other': field(repeat(0x81, 10_000), hex('80')),
  '1,000,000 lists in each other': field(repeat(0x81, 1_000_000), hex('80')),
  '100,000 maps in each other': field(concatBytes(Array.from({ length: 100_000 }, () => hex('a16161'))), hex('a0')),
  '100,000 tags in each other': field(repeat(0xc6, 100_000), hex('01')),
  '65 levels': field(repeat(0x81, 64), hex('80')),
  'a list of 2^31': f('9a80000000'),
  'a list of 2^62': f('9b4000000000000000'),
  'a map of 2^32 - 1': f('baffffffff'),
  'bytes of 2^53 - 1': f('5b001fffffffffffff'),
  'a text of 2^62': f('7b4000000000000000'),
  '1,000 lists in each other, each of 2^24': field(...Array.from({ length: 1000 }, () => hex('9a01000000'))),
  '131,073 entries': field(hex('9a00020001'), repeat(0x01, 131_073)),
  'a key of 8,193 bytes': concatBytes([hex('a2'), TYPE, hex('792001'), repeat(0x61, 8193), hex('01')]),
  '300,000 empty maps': field(
    hex('83'),
    ...Array.from({ length: 3 }, () => concatBytes([hex('9a000186a0'), repeat(0xa0, 100_000)])),
  ),
  'text with a lone continuation': f('6180'),
  'text in a longer form than it needs': f('62c0af'),
  'half of a surrogate pair': f('63eda080'),
  'text past U+10FFFF': f('64f4908080'),
  'a character that is cut': f('62e282'),
  'a key that is not UTF-8': concatBytes([hex('a2 61ff 01'), TYPE]),
  '2^53': f('1b0020000000000000'),
  '2^64 - 1': f('1bffffffffffffffff'),
  '-2^53': f('3b001fffffffffffff'),
  '-2^64': f('3bffffffffffffffff'),
};

/** The record under one key among sound records. */
export const withRecord = async (
  bytes: Uint8Array,
  options: Parameters<typeof repositoryOf>[0] = {},
): Promise<Uint8Array> => {
  const entry: Entry = [`${POST}/${rkeyOf(99)}`, blockOfBytes(bytes)];
  return carOf(await repositoryOf({ records: [...posts(5), entry], ...options }));
};

const cars = Object.entries(records).map(([name, bytes]) => [name, () => withRecord(bytes)] as const);

/** One invalid block under more keys than `maxFaults`. */
const manyFaults = async (): Promise<Uint8Array> =>
  carOf(
    await repositoryOf({
      records: Array.from({ length: 12 }, (_, i): Entry => [`${POST}/${rkeyOf(i)}`, blockOfBytes(records['a float']!)]),
    }),
  );

export const recordClasses: readonly HostileClass[] = [
  {
    name: 'Records that break the data model',
    cases: cars.map(([name, car]): HostileCase => ({ name, car, expect: 'reported' })),
  },
  {
    name: "Records that break the data model, with records: 'reject'",
    cases: [
      ...cars.map(
        ([name, car]): HostileCase => ({ name, car, options: { records: 'reject' }, expect: 'InvalidRecord' }),
      ),
      {
        name: 'more faulty records than maxFaults',
        car: manyFaults,
        options: { maxFaults: 11 },
        expect: 'LimitExceeded',
        message: /too many records/,
      },
    ],
  },
];
