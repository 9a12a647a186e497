/** The budget that caches of nodes share. */
import { describe, expect, test } from 'vitest';
import type { CidBytes } from '../../../src/core/data/cid.ts';
import { CODEC_DAG_CBOR, cidOf } from '../../../src/core/data/cid.ts';
import type { Node } from '../../../src/core/mst/node.ts';
import { sizeOfNode } from '../../../src/core/mst/node-reader.ts';
import { CacheBudget, CidCache } from '../../../src/core/blocks/cid-cache.ts';

const cid = (n: number): CidBytes => cidOf(CODEC_DAG_CBOR, new Uint8Array([n & 255, n >> 8])).bytes as CidBytes;
const node = (n: number): Node => ({
  layer: 0,
  keys: [`app.bsky.feed.post/${String(n).padStart(13, '0')}`],
  values: [cid(n)],
  children: [undefined, undefined],
});

/** Takes nodes `from` to `to` into a cache. */
const fill = (cache: CidCache<Node>, from: number, to: number): void => {
  for (let n = from; n < to; n++) {
    cache.set(cid(n), node(n), sizeOfNode(node(n)));
  }
};
const knownOf = (cache: CidCache<Node>, from: number, to: number): number =>
  Array.from({ length: to - from }, (_, i) => cache.get(cid(from + i))).filter((found) => found !== undefined).length;

/** The estimated size of one of these nodes. */
const SIZE = (() => {
  const budget = new CacheBudget(Number.POSITIVE_INFINITY);
  new CidCache<Node>(10, budget).set(cid(0), node(0), sizeOfNode(node(0)));
  return budget.used;
})();

describe('a budget', () => {
  test('is never passed, whatever the capacity', () => {
    const budget = new CacheBudget(50 * SIZE);
    const cache = new CidCache<Node>(10_000, budget);
    for (let n = 0; n < 1000; n++) {
      cache.set(cid(n), node(n), sizeOfNode(node(n)));
      expect(budget.used).toBeLessThanOrEqual(50 * SIZE);
    }
    expect(knownOf(cache, 999, 1000)).toBe(1);
  });

  test('evicts from the cache with the fewest hits for its bytes', () => {
    const budget = new CacheBudget(100 * SIZE);
    const [hot, cold] = [new CidCache<Node>(1000, budget), new CidCache<Node>(1000, budget)];
    fill(hot, 0, 40);
    for (let round = 0; round < 50; round++) {
      fill(cold, 100 + 20 * round, 120 + 20 * round);
      expect(knownOf(hot, 0, 40)).toBe(40);
      expect(knownOf(cold, 119 + 20 * round, 120 + 20 * round)).toBe(1);
    }
    // A cache without further hits is evicted as well.
    for (let round = 0; round < 50; round++) {
      fill(cold, 20 * round, 20 + 20 * round);
      knownOf(cold, 20 * round, 20 + 20 * round);
    }
    expect(knownOf(hot, 0, 40)).toBe(0);
  });

  test('evicts from the cache with the oldest last insert, without hits', () => {
    const budget = new CacheBudget(100 * SIZE);
    const [idle, busy] = [new CidCache<Node>(1000, budget), new CidCache<Node>(1000, budget)];
    fill(idle, 0, 60);
    fill(busy, 100, 160);
    expect(knownOf(busy, 100, 160)).toBe(60);
    expect(budget.used).toBeLessThanOrEqual(100 * SIZE);
    fill(busy, 160, 195);
    expect(knownOf(idle, 0, 60)).toBe(0);
    expect(knownOf(busy, 160, 195)).toBe(35);
  });

  test('regains the bytes of nodes that are cleared, replaced or moved between generations', () => {
    const budget = new CacheBudget(Number.POSITIVE_INFINITY);
    const cache = new CidCache<Node>(20, budget);
    fill(cache, 0, 15);
    knownOf(cache, 0, 15);
    fill(cache, 5, 25);
    fill(cache, 5, 25);
    knownOf(cache, 0, 25);
    expect(budget.used).toBeLessThanOrEqual(20 * SIZE);
    cache.clear();
    expect(budget.used).toBe(0);
    expect(cache.isEmpty).toBe(true);
    expect(knownOf(cache, 0, 25)).toBe(0);
  });

  test('shrinks the caches at once when it is made smaller', () => {
    const budget = new CacheBudget(Number.POSITIVE_INFINITY);
    const caches = [0, 1, 2].map(() => new CidCache<Node>(100, budget));
    for (const cache of caches) {
      fill(cache, 0, 30);
    }
    budget.limit(40 * SIZE);
    expect(budget.used).toBeLessThanOrEqual(40 * SIZE);
    budget.limit(0);
    expect(budget.used).toBe(0);
  });
});

test('a cache without capacity keeps nothing', () => {
  const budget = new CacheBudget(Number.POSITIVE_INFINITY);
  const cache = new CidCache<Node>(0, budget);
  fill(cache, 0, 5);
  expect([cache.isEmpty, budget.used]).toEqual([true, 0]);
});
