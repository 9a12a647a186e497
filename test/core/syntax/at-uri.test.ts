import { describe, expect, test } from 'vitest';
import type { AtUri } from '../../../src/core/syntax/at-uri.ts';
import { MAX_AT_URI_LENGTH, formatAtUri, parseAtUri } from '../../../src/core/syntax/at-uri.ts';

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
const collection = 'app.bsky.feed.post';

test.each<[string, AtUri]>([
  [`at://${did}`, { authority: did }],
  ['at://alice.example.com', { authority: 'alice.example.com' }],
  [`at://${did}/${collection}`, { authority: did, collection }],
  [`at://${did}/${collection}/3l3qo2vutsw2b`, { authority: did, collection, rkey: '3l3qo2vutsw2b' }],
  [`at://did:web:a.example/${collection}/self`, { authority: 'did:web:a.example', collection, rkey: 'self' }],
])('%s is taken apart and put together', (uri, parts) => {
  expect(parseAtUri(uri)).toEqual({ collection: undefined, rkey: undefined, ...parts });
  expect(formatAtUri(parts)).toBe(uri);
  expect(formatAtUri(parseAtUri(uri))).toBe(uri);
});

describe('Malformed names the expected form, for', () => {
  test.each([
    '',
    did,
    `https://bsky.app/profile/${did}`,
    `at://${did}/`,
    `at://${did}/${collection}/a/b`,
    `at://${did}/${collection}/a?x=1`,
    `at://${did}/${collection}/a#/text`,
    `at://${did}/posts/a`,
    `at://${did}/${collection}/${'a'.repeat(MAX_AT_URI_LENGTH)}`,
  ])('%s', (uri) => {
    expect(() => parseAtUri(uri)).toThrow(/^expected at:\/\/did\/collection\/rkey; uri=.{0,81}$/);
  });

  test.each<[AtUri]>([
    [{ authority: did, rkey: 'self' }],
    [{ authority: `${did}/${collection}` }],
    [{ authority: did, collection: `${collection}/self` }],
    [{ authority: did, collection, rkey: '..' }],
    [{ authority: did, collection: '', rkey: '' }],
    [{ authority: '' }],
  ])('the parts %j', (parts) => {
    expect(() => formatAtUri(parts)).toThrow(/expected at:/);
  });
});

test('a value that is not a string is a TypeError', () => {
  expect(() => parseAtUri(5 as never)).toThrow(TypeError);
});
