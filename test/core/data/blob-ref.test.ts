import { describe, expect, test } from 'vitest';
import { blobMentions, isBlobRef } from '../../../src/core/data/blob-ref.ts';
import { decodeCbor } from '../../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { CODEC_DAG_CBOR, CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';

const refOf = (n: number) => cidOf(CODEC_RAW, Uint8Array.of(n));
const blobOf = (n: number) => ({ $type: 'blob', ref: refOf(n), mimeType: 'image/png', size: n });

describe('isBlobRef', () => {
  test('takes the present form, and an empty blob', () => {
    expect(isBlobRef(blobOf(5))).toBe(true);
    expect(isBlobRef(blobOf(0))).toBe(true);
    expect(isBlobRef(decodeCbor(encodeCbor(blobOf(1))))).toBe(true);
    expect(isBlobRef(structuredClone(blobOf(1)))).toBe(true);
  });

  test.each<[string, unknown]>([
    ['null', null],
    ['a text', 'blob'],
    ['a link', refOf(1)],
    ['the old form', { cid: refOf(1).toString(), mimeType: 'image/png' }],
    ['no $type', { ...blobOf(1), $type: undefined }],
    ['another $type', { ...blobOf(1), $type: 'com.example.blob' }],
    ['no MIME type', { ...blobOf(1), mimeType: undefined }],
    ['a ref of dag-cbor', { ...blobOf(1), ref: cidOf(CODEC_DAG_CBOR, Uint8Array.of(1)) }],
    ['a ref that is text', { ...blobOf(1), ref: refOf(1).toString() }],
    ['a ref that only looks like a link', { ...blobOf(1), ref: { '/': 'x', bytes: 'x', code: CODEC_RAW, version: 1 } }],
    ['a size below 0', { ...blobOf(1), size: -1 }],
    ['a size with a fraction', { ...blobOf(1), size: 1.5 }],
    ['a size that is text', { ...blobOf(1), size: '1' }],
  ])('refuses %s', (_, value) => {
    expect(isBlobRef(value)).toBe(false);
  });
});

describe('blobMentions', () => {
  test('finds every blob, in the order of the value', () => {
    const value = { a: blobOf(1), b: [blobOf(2), { c: { d: blobOf(3) } }], e: blobOf(2) };
    expect(blobMentions(value).map(({ size }) => size)).toEqual([1, 2, 3, 2]);
    expect(blobMentions(value)[0]?.cid.equals(refOf(1))).toBe(true);
  });

  test('finds the old form, whose size is unknown', () => {
    const value = { avatar: { cid: refOf(7).toString(), mimeType: 'image/jpeg' } };
    expect(blobMentions(value)).toEqual([{ cid: refOf(7), mimeType: 'image/jpeg', size: -1 }]);
  });

  test.each<[string, unknown]>([
    ['a text', 'blob'],
    ['a link without a blob', { image: refOf(1) }],
    ['bytes', { data: Uint8Array.of(1) }],
    ['an old form with an invalid CID', { cid: 'bafy', mimeType: 'a/b' }],
    ['an old form with a $type', { $type: 'com.example.a', cid: refOf(1).toString(), mimeType: 'a/b' }],
  ])('finds none in %s', (_, value) => {
    expect(blobMentions(value)).toEqual([]);
  });

  test('looks into a map that only looks like a link', () => {
    expect(blobMentions({ '/': 'x', bytes: 'x', version: 1, inner: blobOf(4) })).toHaveLength(1);
  });
});
