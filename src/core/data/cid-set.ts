/**
 * A compact set of CIDs for work on a whole repository. A CID takes 36 bytes and a slot of 8 to 16 bytes; in a `Set` of
 * texts, it takes about 200.
 */
import type { CidBytes } from './cid.ts';
import { CID_LENGTH } from './cid.ts';

const FIRST_CAPACITY = 1024;

/** CIDs per memory segment. With segments, a growing set copies no CIDs and reserves little spare memory. */
const SEGMENT_BITS = 10;
const SEGMENT: number = 1 << SEGMENT_BITS;

/** A larger expected number is not trusted. */
const MAX_EXPECTED_BITS = 20;

/** The offset of the digest in a CID. Its first four bytes serve as the hash. */
const DIGEST = 4;

export interface CidSet {
  readonly size: number;
  /** Adds a copy of the 36 bytes at `at`. Returns `false` if the CID is present. */
  add(bytes: Uint8Array, at?: number): boolean;
  has(cid: Uint8Array): boolean;
  /** Returns the insertion index, or -1. */
  indexOf(cid: Uint8Array): number;
  /** Returns the CID with an insertion index, as a view. Do not change it. */
  at(index: number): CidBytes;
  /** Iterates in insertion order, over views. */
  [Symbol.iterator](): Iterator<CidBytes>;
}

/** @param expected The expected number of CIDs. A set that grows rehashes all of them. */
export const createCidSet = (expected = 0): CidSet => {
  // Random per set, so that an attacker cannot find CIDs that all hash to one slot.
  const multiplier = Math.floor(Math.random() * 0x1_0000_0000) | 1;
  let capacity = Math.max(FIRST_CAPACITY, 2 ** Math.min(MAX_EXPECTED_BITS, Math.ceil(Math.log2(2 * expected + 1))));
  let shift = 32 - Math.log2(capacity);
  let size = 0;
  const segments: Uint8Array<ArrayBuffer>[] = [];
  // The index plus one; 0 is a free slot. Open addressing, at most half full.
  let slots = new Uint32Array(capacity);

  const firstSlotAt = (bytes: Uint8Array, at: number): number => {
    const word =
      bytes[at + DIGEST]! |
      (bytes[at + DIGEST + 1]! << 8) |
      (bytes[at + DIGEST + 2]! << 16) |
      (bytes[at + DIGEST + 3]! << 24);
    return Math.imul(word, multiplier) >>> shift;
  };

  const segmentOf = (entry: number): Uint8Array<ArrayBuffer> => segments[entry >> SEGMENT_BITS]!;
  const startOf = (entry: number): number => (entry & (SEGMENT - 1)) * CID_LENGTH;

  const sameAt = (entry: number, bytes: Uint8Array, at: number): boolean => {
    const segment = segmentOf(entry);
    const start = startOf(entry);
    for (let i = CID_LENGTH - 1; i >= 0; i--) {
      if (segment[start + i] !== bytes[at + i]) {
        return false;
      }
    }
    return true;
  };

  /** Returns the slot of a CID, or the free slot for it. */
  const slotOf = (bytes: Uint8Array, at: number): number => {
    let slot = firstSlotAt(bytes, at);
    while (slots[slot] !== 0 && !sameAt(slots[slot]! - 1, bytes, at)) {
      slot = (slot + 1) & (capacity - 1);
    }
    return slot;
  };

  const grow = (): void => {
    capacity *= 2;
    shift -= 1;
    slots = new Uint32Array(capacity);
    for (let entry = 0; entry < size; entry++) {
      let slot = firstSlotAt(segmentOf(entry), startOf(entry));
      while (slots[slot] !== 0) {
        slot = (slot + 1) & (capacity - 1);
      }
      slots[slot] = entry + 1;
    }
  };

  const viewAt = (entry: number): CidBytes => segmentOf(entry).subarray(startOf(entry), startOf(entry) + CID_LENGTH);

  return {
    get size() {
      return size;
    },
    add(bytes, at = 0) {
      const slot = slotOf(bytes, at);
      if (slots[slot] !== 0) {
        return false;
      }
      const start = startOf(size);
      if (start === 0) {
        segments.push(new Uint8Array(SEGMENT * CID_LENGTH));
      }
      const segment = segmentOf(size);
      for (let i = 0; i < CID_LENGTH; i++) {
        segment[start + i] = bytes[at + i]!;
      }
      size += 1;
      slots[slot] = size;
      if (size * 2 >= capacity) {
        grow();
      }
      return true;
    },
    has: (cid) => slots[slotOf(cid, 0)] !== 0,
    indexOf: (cid) => slots[slotOf(cid, 0)]! - 1,
    at: viewAt,
    *[Symbol.iterator]() {
      for (let entry = 0; entry < size; entry++) {
        yield viewAt(entry);
      }
    },
  };
};
