/** A bounded cache of what blocks contain, and the budget that all such caches of a process share. */
import { equalBytes } from '../data/bytes.ts';
import type { CidBytes } from '../data/cid.ts';

interface Entry<T> {
  readonly cid: CidBytes;
  readonly value: T;
  readonly size: number;
}

/**
 * Returns the slot of a CID: 30 bits of its digest, which engines store unboxed. A lookup by CID text took longer than
 * reading half of the tree. Two CIDs with the same bits evict each other, and are never confused.
 */
const slotOf = (cid: CidBytes): number =>
  ((cid[4]! << 22) ^ (cid[5]! << 14) ^ (cid[6]! << 6) ^ (cid[7]! >> 2)) & 0x3fff_ffff;

/** The share of the limit that an eviction leaves in use, so that evictions are rare. */
const KEPT = 7 / 8;

/**
 * A budget in bytes that caches share. It evicts from the cache with the fewest hits for its bytes: the nodes at the
 * top of a tree are few and hit by every lookup, and records that are read once would evict them. Of caches without
 * hits, it evicts from the one that added an entry least recently.
 */
export class CacheBudget {
  readonly #caches = new Set<CidCache<unknown>>();
  /** The last of `#caches`, so that a cache that adds many entries is moved there once. */
  #latest: CidCache<unknown> | undefined;
  #limit: number;
  #used = 0;

  /** @param limit The budget in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Estimated bytes of all entries in the caches. */
  get used(): number {
    return this.#used;
  }

  /** Sets the limit in bytes. */
  limit(bytes: number): void {
    this.#limit = bytes;
    this.#shrink();
  }

  /** Records that a cache added `size` bytes. May evict from this cache and from others. */
  added(cache: CidCache<unknown>, size: number): void {
    if (this.#latest !== cache) {
      this.#caches.delete(cache);
      this.#caches.add(cache);
      this.#latest = cache;
    }
    this.#used += size;
    this.#shrink();
  }

  /** Records that a cache removed `size` bytes. */
  removed(size: number): void {
    this.#used -= size;
  }

  #shrink(): void {
    if (this.#used <= this.#limit) {
      return;
    }
    for (const cache of [...this.#caches].sort((a, b) => a.hitsPerByte - b.hitsPerByte)) {
      // The second round drops the young generation.
      while (this.#used > this.#limit * KEPT && !cache.isEmpty) {
        cache.shed();
      }
      cache.forgetHits();
      if (cache.isEmpty) {
        this.#caches.delete(cache);
        this.#latest = this.#latest === cache ? undefined : this.#latest;
      }
    }
  }
}

/** One generation of entries, and their bytes. */
class Generation<T> {
  readonly entries = new Map<number, Entry<T>>();
  size = 0;

  put(slot: number, entry: Entry<T>): void {
    this.size += entry.size - (this.entries.get(slot)?.size ?? 0);
    this.entries.set(slot, entry);
  }

  remove(slot: number, entry: Entry<T>): void {
    this.entries.delete(slot);
    this.size -= entry.size;
  }
}

/**
 * A cache of two generations. When the young one is full, it replaces the old one, and unused entries are dropped. A
 * single map that removes its first entry each time took eight times as long, because it skips the holes of removed
 * entries.
 */
export class CidCache<T> {
  readonly #capacity: number;
  readonly #budget: CacheBudget;
  #young = new Generation<T>();
  #old = new Generation<T>();
  #hits = 0;

  /**
   * @param capacity Most entries; an odd number is rounded up. 0 disables the cache.
   * @param budget The budget of this cache and others.
   */
  constructor(capacity: number, budget: CacheBudget) {
    this.#capacity = Math.ceil(capacity / 2);
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#young.entries.size === 0 && this.#old.entries.size === 0;
  }

  /** The hits since the last evictions, of which the later ones count more. */
  get hitsPerByte(): number {
    return this.#hits / Math.max(1, this.#young.size + this.#old.size);
  }

  /** Halves the weight of the hits so far. */
  forgetHits(): void {
    this.#hits /= 2;
  }

  get(cid: CidBytes): T | undefined {
    const slot = slotOf(cid);
    const recent = this.#young.entries.get(slot);
    if (recent !== undefined && equalBytes(recent.cid, cid)) {
      this.#hits += 1;
      return recent.value;
    }
    const entry = this.#old.entries.get(slot);
    if (entry === undefined || !equalBytes(entry.cid, cid)) {
      return undefined;
    }
    this.#hits += 1;
    this.#old.remove(slot, entry);
    this.#budget.removed(entry.size);
    this.#keep(slot, entry);
    return entry.value;
  }

  /** Returns a value and removes it, or `undefined` if it is absent. */
  take(cid: CidBytes): T | undefined {
    const slot = slotOf(cid);
    for (const generation of [this.#young, this.#old]) {
      const entry = generation.entries.get(slot);
      if (entry !== undefined && equalBytes(entry.cid, cid)) {
        this.#hits += 1;
        generation.remove(slot, entry);
        this.#budget.removed(entry.size);
        return entry.value;
      }
    }
    return undefined;
  }

  /**
   * @param cid Stored, so it must not be a view of a large buffer.
   * @param size Estimated bytes of the value in memory.
   */
  set(cid: CidBytes, value: T, size: number): void {
    this.#keep(slotOf(cid), { cid, value, size });
  }

  /** Drops the old generation. A second call drops the rest. */
  shed(): void {
    this.#budget.removed(this.#old.size);
    this.#old = this.#young;
    this.#young = new Generation<T>();
  }

  clear(): void {
    this.shed();
    this.shed();
  }

  #keep(slot: number, entry: Entry<T>): void {
    if (this.#capacity === 0) {
      return;
    }
    if (this.#young.entries.size >= this.#capacity) {
      this.shed();
    }
    const before = this.#young.size;
    this.#young.put(slot, entry);
    this.#budget.added(this, this.#young.size - before);
  }
}
