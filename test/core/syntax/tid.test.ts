import { describe, expect, test } from 'vitest';
import type { Tid } from '../../../src/core/syntax/tid.ts';
import { ZERO_TID, createTidClock, isTid, parseTid, tidOf, tidToMicroseconds } from '../../../src/core/syntax/tid.ts';

const LAST = Number.MAX_SAFE_INTEGER;

test.each<[number, number, string]>([
  [0, 0, '2222222222222'],
  [0, 1, '2222222222223'],
  [0, 1023, '22222222222zz'],
  [1, 0, '2222222222322'],
  // 2023-06-30, as the reference implementation writes it.
  [1_688_137_381_887_007, 24, '3jzfcijpj2z2s'],
  // The syntax allows up to `jzzzzzzzzzzzz`, although 63 bits end here.
  [LAST, 1023, 'bzzzzzzzzzzzz'],
])('%d µs of clock %d is %s', (microseconds, clock, text) => {
  expect(tidOf(microseconds, clock)).toBe(text);
  expect(tidToMicroseconds(text as Tid)).toBe(microseconds);
  expect(parseTid(text)).toBe(text);
});

test('texts sort as times do', () => {
  const times = [0, 1, 31, 32, 1e6, 2 ** 31, 2 ** 32, 1.6e15, 1.7e15, LAST];
  const tids = times.map((time) => tidOf(time, 5));
  expect(tids.toSorted()).toEqual(tids);
  expect(ZERO_TID <= tids[0]!).toBe(true);
});

test.each<[string, number, number]>([
  ['a time past 53 bits', LAST + 1, 0],
  ['a time before 1970', -1, 0],
  ['half a microsecond', 0.5, 0],
  ['no time', Number.NaN, 0],
  ['clock 1024', 0, 1024],
  ['clock -1', 0, -1],
])('%s has no TID', (_, microseconds, clock) => {
  expect(() => tidOf(microseconds, clock)).toThrow(expect.objectContaining({ code: 'LimitExceeded' }));
});

test.each([
  '',
  '222222222222',
  '22222222222222',
  '3JZFCIJPJ2Z2A',
  '3jzfcijpj2z21',
  'kjzfcijpj2z2a',
  '3jzf-cij-pj2z-2a',
  '3jzfcijpj2z2a\n',
])('%j is no TID', (text) => {
  expect(isTid(text)).toBe(false);
  expect(() => parseTid(text)).toThrow(expect.objectContaining({ code: 'Malformed' }));
});

describe('a clock', () => {
  test('never repeats, also if the time stands still or goes back', () => {
    const times = [1000, 1000, 1000, 999, 5, 1001];
    const clock = createTidClock(() => times.shift()!, 3);
    const tids = Array.from({ length: 6 }, () => clock.next());
    expect(tids.map(tidToMicroseconds)).toEqual([1_000_000, 1_000_001, 1_000_002, 1_000_003, 1_000_004, 1_001_000]);
    expect(tids.every((tid) => tid === tidOf(tidToMicroseconds(tid), 3))).toBe(true);
  });

  test('continues after a later TID of another clock, and ignores an earlier one', () => {
    const clock = createTidClock(() => 1000, 0);
    // The higher clock id must not hide that the time is the same.
    expect(tidToMicroseconds(clock.next(tidOf(2_000_000, 1023)))).toBe(2_000_001);
    expect(tidToMicroseconds(clock.next(tidOf(5, 1023)))).toBe(2_000_002);
  });

  test('takes a time with a fraction', () => {
    expect(tidToMicroseconds(createTidClock(() => 1.00075, 0).next())).toBe(1000);
  });

  test('works after a call with the last TID', () => {
    const clock = createTidClock(() => 1000, 0);
    for (const after of [tidOf(LAST, 0), parseTid('jzzzzzzzzzzzz')]) {
      expect(() => clock.next(after)).toThrow(expect.objectContaining({ code: 'LimitExceeded' }));
    }
    expect(tidToMicroseconds(clock.next())).toBe(1_000_000);
  });

  test('draws its id as the reference implementation does, from 0 to 31', () => {
    for (let i = 0; i < 50; i++) {
      expect(createTidClock().next().at(-2)).toBe('2');
    }
  });
});
