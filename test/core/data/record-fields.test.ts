import { expect, test } from 'vitest';
import { CODEC_DAG_CBOR, CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';
import { assertRecordFields } from '../../../src/core/data/record-fields.ts';

const ref = cidOf(CODEC_RAW, Uint8Array.of(1));
const blob = { $type: 'blob', ref, mimeType: 'image/png', size: 3 };

const invalidAt = (path: string): unknown =>
  expect.objectContaining({
    code: 'InvalidRecord',
    message: expect.stringMatching(new RegExp(` at ${path.replace(/[()]/g, '\\$&')}[:;]`)),
  });

test('a record with everything in it passes', () => {
  assertRecordFields({
    $type: 'com.example.a',
    blob,
    old: { cid: 'bafy', mimeType: 'a/b' },
    list: [null, 1, 'a', true, Uint8Array.of(1), ref, { $type: 'com.example.b', inner: [blob] }],
  });
});

test.each<[string, object, string]>([
  // The JSON form passed to `put`.
  ['the JSON form of a link', { $type: 'a', l: { $link: ref.toString() } }, '/l'],
  ['the JSON form of bytes', { $type: 'a', b: [{ $bytes: 'AA' }] }, '/b/0'],
  ['a $type that is a number', { $type: 1 }, '(top)'],
  ['an empty $type inside', { a: [{ $type: '' }] }, '/a/0'],
  ['a blob whose ref is text', { a: { b: { ...blob, ref: ref.toString() } } }, '/a/b'],
  ['a blob whose ref is of dag-cbor', { b: { ...blob, ref: cidOf(CODEC_DAG_CBOR, Uint8Array.of(1)) } }, '/b'],
  ['a blob whose ref only looks like a link', { b: { ...blob, ref: { '/': 'x', bytes: 'x', code: CODEC_RAW } } }, '/b'],
  ['a blob without a size', { b: { $type: 'blob', ref, mimeType: 'a/b' } }, '/b'],
  ['a blob with one field more', { b: { ...blob, alt: 'a' } }, '/b'],
])('%s does not', (_, value, path) => {
  expect(() => assertRecordFields(value)).toThrow(invalidAt(path));
});
