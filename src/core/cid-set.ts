/**
 * A set of CIDs for work over a whole repository. 36 bytes and a slot of 4 to 8 bytes each, where a `Set` of their
 * texts takes about 200: a million of them has to fit beside everything else.
 */
import type { CidBytes } from './cid.ts';
import { CID_LENGTH } from './cid.ts';

const FIRST_CAPACITY = 1024;

/** Where in a CID the digest begins; its first four bytes are as good a hash as any. */
const DIGEST = 4;

export interface CidSet {
  readonly size: number;
  /** `false` when it was there already. The bytes are copied. */
  add(cid: Uint8Array): boolean;
  has(cid: Uint8Array): boolean;
  /** As how many-th it was added, from 0; -1 when it is not there. */
  indexOf(cid: Uint8Array): number;
  /** In the order in which they were added; views that the next `add` may leave behind, not to be kept. */
  [Symbol.iterator](): Iterator<CidBytes>;
}

export const createCidSet = (): CidSet => {
  // Drawn anew for each set, so that nobody can mine CIDs that all fall on one slot.
  const multiplier = Math.floor(Math.random() * 0x1_0000_0000) | 1;
  let capacity = FIRST_CAPACITY;
  let shift = 32 - Math.log2(FIRST_CAPACITY);
  let size = 0;
  let entries = new Uint8Array((capacity >> 1) * CID_LENGTH);
  // One more than the entry's number; 0 is a free slot. Open addressing, at most half full.
  let slots = new Uint32Array(capacity);

  const firstSlotAt = (bytes: Uint8Array, at: number): number => {
    const word =
      bytes[at + DIGEST]! | (bytes[at + DIGEST + 1]! << 8) | (bytes[at + DIGEST + 2]! << 16) | (bytes[at + DIGEST + 3]! << 24);
    return Math.imul(word, multiplier) >>> shift;
  };

  const sameAt = (entry: number, cid: Uint8Array): boolean => {
    const start = entry * CID_LENGTH;
    for (let i = CID_LENGTH - 1; i >= 0; i--) {
      if (entries[start + i] !== cid[i]) {
        return false;
      }
    }
    return true;
  };

  /** The slot where the CID is, or the free one where it would be. */
  const slotOf = (cid: Uint8Array): number => {
    let slot = firstSlotAt(cid, 0);
    while (slots[slot] !== 0 && !sameAt(slots[slot]! - 1, cid)) {
      slot = (slot + 1) & (capacity - 1);
    }
    return slot;
  };

  const grow = (): void => {
    capacity *= 2;
    shift -= 1;
    const wider = new Uint8Array((capacity >> 1) * CID_LENGTH);
    wider.set(entries);
    entries = wider;
    slots = new Uint32Array(capacity);
    for (let entry = 0; entry < size; entry++) {
      let slot = firstSlotAt(entries, entry * CID_LENGTH);
      while (slots[slot] !== 0) {
        slot = (slot + 1) & (capacity - 1);
      }
      slots[slot] = entry + 1;
    }
  };

  return {
    get size() {
      return size;
    },
    add(cid) {
      const slot = slotOf(cid);
      if (slots[slot] !== 0) {
        return false;
      }
      entries.set(cid, size * CID_LENGTH);
      size += 1;
      slots[slot] = size;
      if (size * 2 >= capacity) {
        grow();
      }
      return true;
    },
    has: (cid) => slots[slotOf(cid)] !== 0,
    indexOf: (cid) => slots[slotOf(cid)]! - 1,
    *[Symbol.iterator]() {
      for (let entry = 0; entry < size; entry++) {
        yield entries.subarray(entry * CID_LENGTH, (entry + 1) * CID_LENGTH);
      }
    },
  };
};
