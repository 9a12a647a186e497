import { describe, expect, test } from 'vitest';
import {
  CID,
  CODEC_DAG_CBOR,
  CODEC_RAW,
  asCid,
  cidBytesOf,
  cidBytesToText,
  cidEquals,
  cidOf,
  cidTextToBytes,
  cidToText,
  decodeCid,
  isCidBytes,
  isCidOf,
  parseCid,
} from '../../../src/core/data/cid.ts';
import { seeded } from '../../random/seeded.ts';

// The block `{}`, and the CID that everybody gives it.
const EMPTY_MAP = Uint8Array.of(0xa0);
const EMPTY_MAP_CID = 'bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua';
const EMPTY_RAW_CID = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';

const malformed = expect.objectContaining({ name: 'RepoError', code: 'Malformed' });

describe('the CID of bytes', () => {
  test('equals the one of other libraries', () => {
    expect(cidToText(cidOf(CODEC_DAG_CBOR, EMPTY_MAP))).toBe(EMPTY_MAP_CID);
    expect(cidToText(cidOf(CODEC_RAW, new Uint8Array(0)))).toBe(EMPTY_RAW_CID);
    expect(cidBytesToText(cidBytesOf(EMPTY_MAP))).toBe(EMPTY_MAP_CID);
    expect(isCidOf(cidOf(CODEC_DAG_CBOR, EMPTY_MAP), EMPTY_MAP)).toBe(true);
    expect(isCidOf(cidOf(CODEC_DAG_CBOR, EMPTY_MAP), Uint8Array.of(0xa1))).toBe(false);
  });

  test('depends on the codec', () => {
    expect(cidEquals(cidOf(CODEC_RAW, EMPTY_MAP), cidOf(CODEC_DAG_CBOR, EMPTY_MAP))).toBe(false);
    expect(cidEquals(cidOf(CODEC_RAW, EMPTY_MAP), cidOf(CODEC_RAW, EMPTY_MAP))).toBe(true);
    expect(cidEquals(undefined, undefined)).toBe(true);
    expect(cidEquals(cidOf(CODEC_RAW, EMPTY_MAP), undefined)).toBe(false);
  });
});

test('a decoded CID equals the one of multiformats', () => {
  const bytes = cidBytesOf(EMPTY_MAP);
  const ours = decodeCid(bytes);
  const theirs = CID.decode(bytes);
  expect(ours.equals(theirs)).toBe(true);
  expect([ours.version, ours.code, ours.multihash.code, ours.multihash.size]).toEqual([1, CODEC_DAG_CBOR, 0x12, 32]);
  expect(ours.multihash.digest).toEqual(theirs.multihash.digest);
  expect(ours.multihash.bytes).toEqual(theirs.multihash.bytes);
  expect(ours.toString()).toBe(EMPTY_MAP_CID);
  expect(ours.bytes).toBe(bytes);
});

test('texts and bytes round-trip as in multiformats, seed 7', () => {
  const random = seeded(7);
  for (let i = 0; i < 500; i++) {
    const content = Uint8Array.from({ length: 8 }, () => Math.floor(random() * 256));
    const cid = cidOf(random() < 0.5 ? CODEC_RAW : CODEC_DAG_CBOR, content);
    const text = cidToText(cid);
    expect(text).toBe(CID.decode(cid.bytes).toString());
    expect(cidTextToBytes(text)).toEqual(cid.bytes);
    expect(parseCid(text).equals(cid)).toBe(true);
  }
});

describe('is no CID of a repository:', () => {
  const good = cidBytesOf(EMPTY_MAP);
  test.each<[string, number, number]>([
    ['version 0', 0, 0],
    ['version 2', 0, 2],
    ['dag-pb', 1, 0x70],
    ['the identity hash', 2, 0x00],
    ['SHA-512', 2, 0x13],
    ['BLAKE3', 2, 0x1e],
    ['a truncated digest', 3, 0x1f],
  ])('%s', (_, at, byte) => {
    const bytes = good.slice();
    bytes[at] = byte;
    expect(isCidBytes(bytes)).toBe(false);
    expect(() => decodeCid(bytes)).toThrow(malformed);
    expect(cidTextToBytes(cidBytesToText(bytes))).toBeUndefined();
  });

  test('35 bytes, or 37', () => {
    expect(() => decodeCid(good.slice(0, 35))).toThrow(malformed);
    expect(() => decodeCid(Uint8Array.from([...good, 0]))).toThrow(malformed);
    expect(isCidBytes(Uint8Array.from([0, ...good]), 1)).toBe(true);
    expect(isCidBytes(Uint8Array.from([0, ...good.slice(0, 35)]), 1)).toBe(false);
  });

  test.each([
    ['an empty text', ''],
    ['one character less', EMPTY_MAP_CID.slice(0, -1)],
    ['one character more', `${EMPTY_MAP_CID}a`],
    ['upper case', `b${EMPTY_MAP_CID.slice(1).toUpperCase()}`],
    ['another base', `B${EMPTY_MAP_CID.slice(1)}`],
    ['a digit that base32 has not', `${EMPTY_MAP_CID.slice(0, -1)}1`],
    ['a character past ASCII', `${EMPTY_MAP_CID.slice(0, -1)}é`],
    // The last character carries three bits; the two below them would be a second text for the same CID.
    ['bits to spare', `${EMPTY_MAP_CID.slice(0, -1)}b`],
  ])('%s', (_, text) => {
    expect(cidTextToBytes(text)).toBeUndefined();
    expect(() => parseCid(text)).toThrow(malformed);
  });
});

describe('asCid', () => {
  const cid = cidOf(CODEC_RAW, EMPTY_MAP);

  test('returns a CID of any copy of the class', () => {
    expect(asCid(cid)).toBe(cid);
    expect(asCid(structuredClone(cid))?.equals(cid)).toBe(true);
    const older: Record<string, unknown> = { bytes: cid.bytes };
    older['asCID'] = older;
    expect(asCid(older)?.equals(cid)).toBe(true);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['a text', cid.toString()],
    ['its bytes', cid.bytes],
    ['its JSON form', { $link: cid.toString() }],
    ['a map that multiformats takes for one', { '/': 'x', bytes: 'x', code: CODEC_RAW, version: 1 }],
    ['a map with equal bytes', { '/': cid.bytes.slice(), bytes: cid.bytes.slice() }],
    [
      'a foreign CID of another kind',
      structuredClone(CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi')),
    ],
  ])('does not take %s for one', (_, value) => {
    expect(asCid(value)).toBeUndefined();
  });
});
