import { describe, expect, test } from 'vitest';
import { assertCollection, assertDid, assertRecordKey, formatUri } from '../../../src/core/syntax/identifiers.ts';

const refusal = (code: string, message: RegExp): unknown =>
  expect.objectContaining({ name: 'RepoError', code, message: expect.stringMatching(message) });

test('formatUri joins the parts of a URI', () => {
  expect(formatUri('did:plc:7iza6de2dwap2sbkpav7c6c6', 'app.bsky.feed.post', '3jzfcijpj2z2a')).toBe(
    'at://did:plc:7iza6de2dwap2sbkpav7c6c6/app.bsky.feed.post/3jzfcijpj2z2a',
  );
});

describe.each([
  ['assertDid', assertDid, 'InvalidDid', `did:web:${'a'.repeat(2040)}`],
  ['assertCollection', assertCollection, 'InvalidCollection', `${'a.'.repeat(127)}${'b'.repeat(63)}`],
  ['assertRecordKey', assertRecordKey, 'InvalidRecordKey', 'k'.repeat(512)],
] as const)('%s', (_, check, code, longest) => {
  test('accepts the longest, and rejects one character more', () => {
    check(longest);
    expect(() => check(`${longest}a`)).toThrow(refusal(code, new RegExp(`at most ${longest.length} characters`)));
  });

  test('rejects an empty text and invalid ones, with the text', () => {
    expect(() => check('')).toThrow(refusal(code, /text=$/));
    expect(() => check('a b/c')).toThrow(refusal(code, /text=a b\/c$/));
    expect(() => check(`${longest.slice(0, -1)}\n`)).toThrow(refusal(code, /…$/));
  });

  test('shortens the text in the message', () => {
    expect(() => check('#'.repeat(1_000_000))).toThrow(refusal(code, /text=#{80}…$/));
  });

  test('takes no other type', () => {
    expect(() => check(undefined as unknown as string)).toThrow(TypeError);
    expect(() => check([longest] as unknown as string)).toThrow(TypeError);
  });
});

test('a collection has its authority in lower case, and its name in any case', () => {
  assertCollection('com.example.fooBar');
  for (const text of ['Com.example.fooBar', 'com.eXample.fooBar']) {
    expect(() => assertCollection(text)).toThrow(refusal('InvalidCollection', /lower case/));
  }
});

test.each(['.', '..'])('%s is not a record key, because it names a folder', (text) => {
  expect(() => assertRecordKey(text)).toThrow(refusal('InvalidRecordKey', /not a record key/));
});
