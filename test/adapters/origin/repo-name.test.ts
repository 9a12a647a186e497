import { expect, test } from 'vitest';
import { assertRepoName, isRepoName } from '../../../src/adapters/origin/repo-name.ts';

test.each([
  'a',
  'alice',
  'Alice-2_x',
  'alice.bsky.social',
  'did:plc:ewvi7nxzyoun6zhxrhs64oiz',
  'did:web:localhost%3A3000',
  'a'.repeat(255),
])('a name is %s', (name) => {
  expect(isRepoName(name)).toBe(true);
  expect(() => assertRepoName(name)).not.toThrow();
});

test.each([
  '',
  '.',
  '..',
  '.hidden',
  '-a',
  ':a',
  '%',
  'a/b',
  'a\\b',
  'a b',
  'a\0',
  'a\n',
  'ä',
  'a*',
  'a'.repeat(256),
  7,
  undefined,
  null,
  ['a'],
])('no name is %j', (name) => {
  expect(isRepoName(name)).toBe(false);
  expect(() => assertRepoName(name)).toThrow(TypeError);
});
