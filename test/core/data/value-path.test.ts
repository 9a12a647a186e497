import { expect, test } from 'vitest';
import { formatPath } from '../../../src/core/data/value-path.ts';

test.each<[(string | number)[], string]>([
  [[], '(top)'],
  [['a', 0, 'b'], '/a/0/b'],
  [['', 'a/b', 'a~b', '~1'], '//a~1b/a~0b/~01'],
])('%j is %s', (path, text) => {
  expect(formatPath(path)).toBe(text);
});

test('a long key is shortened', () => {
  expect(formatPath(['k'.repeat(8192), 1])).toBe(`/${'k'.repeat(80)}…/1`);
});
