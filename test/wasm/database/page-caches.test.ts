/** All page caches share one budget. */
import { expect, test } from 'vitest';
import type { PageCache } from '../../../src/wasm/database/page-caches.ts';
import { PageCaches } from '../../../src/wasm/database/page-caches.ts';

interface Recorded extends PageCache {
  size: number;
  resizes: number;
}

const cacheOf = (largest: number = Number.POSITIVE_INFINITY): Recorded => ({
  largest,
  size: 0,
  resizes: 0,
  resize(kibibytes) {
    this.size = kibibytes;
    this.resizes += 1;
  },
});

test('the only database may use the whole budget, and takes only the memory that it needs', () => {
  const caches = new PageCaches(1000);
  const first = cacheOf();
  caches.add(first);
  expect(first.size).toBe(1000);
  caches.remove(first);
  const small = cacheOf(300);
  caches.add(small);
  expect(small.size).toBe(300);
});

test('the four most recently used caches share the budget, and the others keep almost nothing', () => {
  const caches = new PageCaches(1000);
  const all = Array.from({ length: 6 }, () => cacheOf());
  for (const cache of all) {
    caches.add(cache);
  }
  expect(all.map(({ size }) => size)).toEqual([64, 64, 250, 250, 250, 250]);
  caches.use(all[0]!);
  expect(all.map(({ size }) => size)).toEqual([250, 64, 64, 250, 250, 250]);
  expect(all.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(1000 + 2 * 64);
});

test('closed caches return their share to the others', () => {
  const caches = new PageCaches(1000);
  const [first, second] = [cacheOf(), cacheOf()];
  caches.add(first);
  caches.add(second);
  expect(first.size).toBe(500);
  caches.remove(second);
  expect(first.size).toBe(1000);
  caches.limit(200);
  expect(first.size).toBe(200);
});

test('a limit of one cache stays until it is removed', () => {
  const caches = new PageCaches(1000);
  const [first, second] = [cacheOf(), cacheOf()];
  caches.add(first);
  caches.limitOne(first, 300);
  expect(first.size).toBe(300);
  caches.add(second);
  expect([first.size, second.size]).toEqual([300, 500]);
  caches.limitOne(first, undefined);
  expect([first.size, second.size]).toEqual([500, 500]);
  // A closed cache is not resized, and takes no limit into the next opening.
  caches.limitOne(first, 300);
  caches.remove(first);
  caches.limitOne(first, 200);
  caches.add(first);
  expect(first.size).toBe(500);
});

test('alternating use of the same caches resizes none', () => {
  const caches = new PageCaches(1000);
  const [first, second] = [cacheOf(), cacheOf()];
  caches.add(first);
  caches.add(second);
  const before = first.resizes + second.resizes;
  for (let i = 0; i < 10; i++) {
    caches.use(first);
    caches.use(second);
  }
  expect(first.resizes + second.resizes).toBe(before);
});

test('using a removed cache does not add it again', () => {
  const caches = new PageCaches(1000);
  const [first, second] = [cacheOf(), cacheOf()];
  caches.add(first);
  caches.add(second);
  caches.remove(second);
  caches.use(second);
  expect(first.size).toBe(1000);
});
