/**
 * A set of CIDs for work over a whole repository. 36 bytes and a slot of 8 to 16 bytes each, where a `Set` of their
 * texts takes about 200: a million of them has to fit beside everything else.
 */
import type { CidBytes } from './cid.ts';
import { CID_LENGTH } from './cid.ts';

const FIRST_CAPACITY = 1024;

/** CIDs in one piece of memory: a set that grows copies no CID, and has no room for twice as many. */
const PIECE_BITS = 10;
const PIECE: number = 1 << PIECE_BITS;

/** A larger number is believed when they have come. */
const MAX_EXPECTED_BITS = 20;

/** Where in a CID the digest begins; its first four bytes are as good a hash as any. */
const DIGEST = 4;

export interface CidSet {
  readonly size: number;
  /** Adds the 36 bytes at `at`, as a copy; `false` when they were there already. */
  add(bytes: Uint8Array, at?: number): boolean;
  has(cid: Uint8Array): boolean;
  /** As how many-th it was added, from 0; -1 when it is not there. */
  indexOf(cid: Uint8Array): number;
  /** The one that was added as `index`-th; a view that is not to be changed. */
  at(index: number): CidBytes;
  /** In the order in which they were added; views as above. */
  [Symbol.iterator](): Iterator<CidBytes>;
}

/** @param expected About how many there are going to be: a set that grows places all that it has anew. */
export const createCidSet = (expected = 0): CidSet => {
  // Drawn anew for each set, so that nobody can mine CIDs that all fall on one slot.
  const multiplier = Math.floor(Math.random() * 0x1_0000_0000) | 1;
  let capacity = Math.max(FIRST_CAPACITY, 2 ** Math.min(MAX_EXPECTED_BITS, Math.ceil(Math.log2(2 * expected + 1))));
  let shift = 32 - Math.log2(capacity);
  let size = 0;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  // One more than the entry's number; 0 is a free slot. Open addressing, at most half full.
  let slots = new Uint32Array(capacity);

  const firstSlotAt = (bytes: Uint8Array, at: number): number => {
    const word =
      bytes[at + DIGEST]! |
      (bytes[at + DIGEST + 1]! << 8) |
      (bytes[at + DIGEST + 2]! << 16) |
      (bytes[at + DIGEST + 3]! << 24);
    return Math.imul(word, multiplier) >>> shift;
  };

  const pieceOf = (entry: number): Uint8Array<ArrayBuffer> => pieces[entry >> PIECE_BITS]!;
  const startOf = (entry: number): number => (entry & (PIECE - 1)) * CID_LENGTH;

  const sameAt = (entry: number, bytes: Uint8Array, at: number): boolean => {
    const piece = pieceOf(entry);
    const start = startOf(entry);
    for (let i = CID_LENGTH - 1; i >= 0; i--) {
      if (piece[start + i] !== bytes[at + i]) {
        return false;
      }
    }
    return true;
  };

  /** The slot where the CID is, or the free one where it would be. */
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
      let slot = firstSlotAt(pieceOf(entry), startOf(entry));
      while (slots[slot] !== 0) {
        slot = (slot + 1) & (capacity - 1);
      }
      slots[slot] = entry + 1;
    }
  };

  const viewAt = (entry: number): CidBytes => pieceOf(entry).subarray(startOf(entry), startOf(entry) + CID_LENGTH);

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
        pieces.push(new Uint8Array(PIECE * CID_LENGTH));
      }
      const piece = pieceOf(size);
      for (let i = 0; i < CID_LENGTH; i++) {
        piece[start + i] = bytes[at + i]!;
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
