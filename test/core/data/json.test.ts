import { describe, expect, test } from 'vitest';
import { decodeCbor } from '../../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { CODEC_DAG_CBOR, CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';
import { fromJson, toJson } from '../../../src/core/data/json.ts';

const link = cidOf(CODEC_DAG_CBOR, Uint8Array.of(1));
const ref = cidOf(CODEC_RAW, Uint8Array.of(1));
const $link = link.toString();
const blob = { $type: 'blob', ref: { $link: ref.toString() }, mimeType: 'image/png', size: 3 };

const invalidAt = (path: string): unknown =>
  expect.objectContaining({
    name: 'RepoError',
    code: 'InvalidRecord',
    message: expect.stringMatching(new RegExp(` at ${path.replace(/[()$]/g, '\\$&')}[:;]`)),
  });

describe('round trips', () => {
  test.each<[string, unknown, unknown]>([
    ['null', null, null],
    ['strings and booleans', ['', 'é', true, false], ['', 'é', true, false]],
    ['integers', [0, -1, Number.MAX_SAFE_INTEGER], [0, -1, Number.MAX_SAFE_INTEGER]],
    ['a link', link, { $link }],
    ['no bytes', new Uint8Array(0), { $bytes: '' }],
    ['one byte', Uint8Array.of(255), { $bytes: '/w' }],
    ['two bytes', Uint8Array.of(251, 255), { $bytes: '+/8' }],
    ['three bytes', Uint8Array.of(0, 1, 2), { $bytes: 'AAEC' }],
    ['a blob', { $type: 'blob', ref, mimeType: 'image/png', size: 3 }, blob],
    ['a blob of the old form', { cid: $link, mimeType: 'image/png' }, { cid: $link, mimeType: 'image/png' }],
    ['maps in arrays in maps', { a: [{ b: [link, {}] }] }, { a: [{ b: [{ $link }, {}] }] }],
  ])('%s', (_, value, json) => {
    expect(toJson(value)).toEqual(json);
    expect(fromJson(json)).toEqual(value);
    expect(JSON.stringify(toJson(fromJson(json)))).toBe(JSON.stringify(json));
  });

  test('keys such as __proto__ and constructor are ordinary keys', () => {
    const text = '{"1":0,"__proto__":{"polluted":true},"constructor":1,"toString":2}';
    const value = fromJson(JSON.parse(text)) as Record<string, unknown>;
    expect(Object.keys(value)).toContain('__proto__');
    expect(value['polluted']).toBeUndefined();
    expect(JSON.stringify(toJson(value))).toBe(text);
    expect(JSON.stringify(toJson(decodeCbor(encodeCbor(value))))).toContain('"__proto__":{"polluted":true}');
  });

  test('megabytes of bytes', () => {
    const bytes = new Uint8Array(4_000_001).fill(0xa5);
    const back = fromJson(JSON.parse(JSON.stringify(toJson(bytes)))) as Uint8Array;
    expect(Buffer.compare(back, bytes)).toBe(0);
  });
});

describe('reading', () => {
  test.each([
    ['one sign of padding', 'AAE=', 'AAE'],
    ['two signs of padding', 'AA==', 'AA'],
  ])('takes %s', (_, padded, plain) => {
    expect(fromJson({ $bytes: padded })).toEqual(fromJson({ $bytes: plain }));
  });

  test('takes 123.0 for 123, and -0 for 0', () => {
    expect(fromJson(JSON.parse('[123.0, -0, 1e3]'))).toEqual([123, 0, 1000]);
  });

  test.each<[string, string, string]>([
    ['a float', '{"a":[1.5]}', '/a/0'],
    ['2^53', '[9007199254740992]', '/0'],
    ['a number that JSON.parse makes infinite', '[1e999]', '/0'],
    ['a lone surrogate', '{"a":"\\ud800"}', '/a'],
    ['a lone surrogate in a key', '{"\\ud800":1}', '/\ud800'],
    ['a link with another field', `{"l":{"$link":"${$link}","a":1}}`, '/l'],
    ['a link that is not a text', '{"l":{"$link":1}}', '/l'],
    ['a link that is not a CID', '{"l":{"$link":"bafy"}}', '/l'],
    ['a link in upper case', `{"l":{"$link":"${$link.toUpperCase()}"}}`, '/l'],
    ['a link of version 0', '{"l":{"$link":"QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR"}}', '/l'],
    ['bytes with another field', '{"b":{"$bytes":"AA","$type":"a"}}', '/b'],
    ['bytes that are not a text', '{"b":{"$bytes":[1]}}', '/b'],
    ['a link and bytes in one', `{"b":{"$bytes":"AA","$link":"${$link}"}}`, '/b'],
    ['base64 for URLs', '{"b":{"$bytes":"-_8"}}', '/b'],
    ['base64 with a blank', '{"b":{"$bytes":"AA AA"}}', '/b'],
    ['base64 of one character', '{"b":{"$bytes":"A"}}', '/b'],
    ['base64 whose unused bits are not 0', '{"b":{"$bytes":"AB"}}', '/b'],
    ['too little padding', '{"b":{"$bytes":"AA="}}', '/b'],
    ['too much padding', '{"b":{"$bytes":"AAE=="}}', '/b'],
    ['only padding', '{"b":{"$bytes":"===="}}', '/b'],
    ['misplaced padding', '{"b":{"$bytes":"AAEC=="}}', '/b'],
    ['a $type of null', '{"r":{"$type":null}}', '/r'],
    ['an empty $type', '{"r":[{"$type":""}]}', '/r/0'],
    ['a blob with a size that is text', JSON.stringify({ b: { ...blob, size: '3' } }), '/b'],
    ['a blob with a size below 0', JSON.stringify({ b: { ...blob, size: -1 } }), '/b'],
    ['a blob with a ref that is text', JSON.stringify({ b: { ...blob, ref: ref.toString() } }), '/b'],
    ['a blob with a ref of dag-cbor', JSON.stringify({ b: { ...blob, ref: { $link } } }), '/b'],
    ['a blob without a MIME type', JSON.stringify({ b: { ...blob, mimeType: undefined } }), '/b'],
    ['a blob with one field more', JSON.stringify({ b: { ...blob, alt: '' } }), '/b'],
    ['65 levels', `${'['.repeat(65)}${']'.repeat(65)}`, '/0'.repeat(64)],
    ['100,000 levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, '/0'.repeat(64)],
  ])('refuses %s', (_, text, path) => {
    expect(() => fromJson(JSON.parse(text))).toThrow(invalidAt(path));
  });

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in an array', [undefined]],
    ['a function', [() => 1]],
    ['a Date', new Date(0)],
    ['bytes', Uint8Array.of(1)],
  ])('refuses %s, which JSON cannot contain', (_, value) => {
    expect(() => fromJson(value)).toThrow(expect.objectContaining({ code: 'InvalidRecord' }));
  });

  test('takes 64 levels', () => {
    const text = `${'['.repeat(64)}${']'.repeat(64)}`;
    expect(JSON.stringify(fromJson(JSON.parse(text)))).toBe(text);
  });
});

describe('writing', () => {
  test('converts stored values that break the rules', () => {
    const stored = { $type: '', blob: { $type: 'blob', ref: 'text' } };
    expect(toJson(stored)).toEqual(stored);
  });

  test('omits undefined members, and converts a bigint that is a safe integer', () => {
    expect(toJson({ a: undefined, b: 5n })).toEqual({ b: 5 });
  });

  test.each<[string, unknown, string]>([
    ['a map that would read as a link', { a: { $link } }, '/a'],
    ['a map that would read as bytes', [{ $bytes: 'AA' }], '/0'],
    ['a float', { a: 1.5 }, '/a'],
    ['a bigint of 2^53', [2n ** 53n], '/0'],
    ['a bigint above the largest double', [10n ** 400n], '/0'],
    ['a Date', { a: new Date(0) }, '/a'],
    ['undefined in an array', [undefined], '/0'],
  ])('refuses %s', (_, value, path) => {
    expect(() => toJson(value)).toThrow(invalidAt(path));
  });
});
