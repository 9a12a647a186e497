/** A bounded cache of decoded nodes, and the budget that all such caches of a process share. */
import { equalBytes } from '../data/bytes.ts';
import type { CidBytes } from '../data/cid.ts';
import type { Node } from './node.ts';

interface Entry {
  readonly cid: CidBytes;
  readonly node: Node;
  readonly size: number;
}

/**
 * Where a CID is kept: 30 bits of its digest, a number that engines keep without a box. Making the text of a CID to
 * look it up by took longer than reading half of the tree. Two CIDs with the same bits push each other out, and are
 * never taken for each other.
 */
const slotOf = (cid: CidBytes): number =>
  ((cid[4]! << 22) ^ (cid[5]! << 14) ^ (cid[6]! << 6) ^ (cid[7]! >> 2)) & 0x3fff_ffff;

/** Bytes of memory that V8 takes for the parts of a node: measured over 100,000 nodes, rounded up. */
const NODE_OVERHEAD = 300;
const KEY_OVERHEAD = 200;
const CHILD_OVERHEAD = 180;

const sizeOf = ({ keys, children }: Node): number => {
  let size = NODE_OVERHEAD + KEY_OVERHEAD * keys.length + CHILD_OVERHEAD * children.length;
  for (const key of keys) {
    size += key.length;
  }
  return size;
};

/** What caches share a budget of bytes: the ones that took in a node least recently give way first. */
export class NodeBudget {
  readonly #caches = new Set<NodeCache>();
  /** The last one of `#caches`, so that a cache that takes in many nodes is moved there once. */
  #latest: NodeCache | undefined;
  #limit: number;
  #used = 0;

  /** @param limit In bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes of all nodes in the caches, by estimate. */
  get used(): number {
    return this.#used;
  }

  /** Sets another limit, in bytes. */
  limit(bytes: number): void {
    this.#limit = bytes;
    this.#shrink();
  }

  /** Notes that a cache took in `size` bytes; others, and in the end this one, may have to give way. */
  took(cache: NodeCache, size: number): void {
    if (this.#latest !== cache) {
      this.#caches.delete(cache);
      this.#caches.add(cache);
      this.#latest = cache;
    }
    this.#used += size;
    this.#shrink();
  }

  /** Notes that a cache dropped `size` bytes. */
  gave(size: number): void {
    this.#used -= size;
  }

  #shrink(): void {
    while (this.#used > this.#limit) {
      const [oldest] = this.#caches;
      if (oldest === undefined) {
        return;
      }
      // The last generation of a cache is dropped with the next round.
      oldest.shed();
      if (oldest.isEmpty) {
        this.#caches.delete(oldest);
        this.#latest = this.#latest === oldest ? undefined : this.#latest;
      }
    }
  }
}

/** One generation of entries, and their bytes. */
class Generation {
  readonly entries = new Map<number, Entry>();
  size = 0;

  put(slot: number, entry: Entry): void {
    this.size += entry.size - (this.entries.get(slot)?.size ?? 0);
    this.entries.set(slot, entry);
  }

  remove(slot: number, entry: Entry): void {
    this.entries.delete(slot);
    this.size -= entry.size;
  }
}

/**
 * Two generations: when the young one is full it becomes the old one, and what was not used since is dropped. A single
 * map that drops its first entry each time took eight times as long: it steps over the holes that earlier ones left.
 */
export class NodeCache {
  readonly #capacity: number;
  readonly #budget: NodeBudget;
  #young = new Generation();
  #old = new Generation();

  /**
   * @param capacity The most nodes, an odd number rounded up. 0 keeps none.
   * @param budget Bounds the bytes of this cache and of others.
   */
  constructor(capacity: number, budget: NodeBudget) {
    this.#capacity = Math.ceil(capacity / 2);
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#young.entries.size === 0 && this.#old.entries.size === 0;
  }

  get(cid: CidBytes): Node | undefined {
    const slot = slotOf(cid);
    const recent = this.#young.entries.get(slot);
    if (recent !== undefined && equalBytes(recent.cid, cid)) {
      return recent.node;
    }
    const entry = this.#old.entries.get(slot);
    if (entry === undefined || !equalBytes(entry.cid, cid)) {
      return undefined;
    }
    this.#old.remove(slot, entry);
    this.#budget.gave(entry.size);
    this.#keep(slot, entry);
    return entry.node;
  }

  /** @param cid Is kept, so it must not be a view of something large. */
  set(cid: CidBytes, node: Node): void {
    this.#keep(slotOf(cid), { cid, node, size: sizeOf(node) });
  }

  /** Drops the nodes that were not used lately; all of them when called twice. */
  shed(): void {
    this.#budget.gave(this.#old.size);
    this.#old = this.#young;
    this.#young = new Generation();
  }

  clear(): void {
    this.shed();
    this.shed();
  }

  #keep(slot: number, entry: Entry): void {
    if (this.#capacity === 0) {
      return;
    }
    if (this.#young.entries.size >= this.#capacity) {
      this.shed();
    }
    const before = this.#young.size;
    this.#young.put(slot, entry);
    this.#budget.took(this, this.#young.size - before);
  }
}
