/** A bounded cache of decoded nodes. */
import { equalBytes } from '../data/bytes.ts';
import type { CidBytes } from '../data/cid.ts';
import type { Node } from './node.ts';

interface Entry {
  readonly cid: CidBytes;
  readonly node: Node;
}

/**
 * Where a CID is kept: 30 bits of its digest, a number that engines keep without a box. Making the text of a CID to
 * look it up by took longer than reading half of the tree. Two CIDs with the same bits push each other out, and are
 * never taken for each other.
 */
const slotOf = (cid: CidBytes): number =>
  ((cid[4]! << 22) ^ (cid[5]! << 14) ^ (cid[6]! << 6) ^ (cid[7]! >> 2)) & 0x3fff_ffff;

/**
 * Two generations: when the young one is full it becomes the old one, and what was not used since is dropped. A single
 * map that drops its first entry each time took eight times as long: it steps over the holes that earlier ones left.
 */
export class NodeCache {
  readonly #generation: number;
  #young = new Map<number, Entry>();
  #old = new Map<number, Entry>();

  /** @param capacity How many nodes at most, an odd number rounded up. 0 keeps none. */
  constructor(capacity: number) {
    this.#generation = Math.ceil(capacity / 2);
  }

  get(cid: CidBytes): Node | undefined {
    const slot = slotOf(cid);
    const recent = this.#young.get(slot);
    if (recent !== undefined && equalBytes(recent.cid, cid)) {
      return recent.node;
    }
    const entry = this.#old.get(slot);
    if (entry === undefined || !equalBytes(entry.cid, cid)) {
      return undefined;
    }
    this.#keep(slot, entry);
    return entry.node;
  }

  /** @param cid Is kept, so it must not be a view of something large. */
  set(cid: CidBytes, node: Node): void {
    if (this.#generation > 0) {
      this.#keep(slotOf(cid), { cid, node });
    }
  }

  #keep(slot: number, entry: Entry): void {
    if (this.#young.size >= this.#generation) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(slot, entry);
  }
}
