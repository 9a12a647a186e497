/** The staging order: the order in which staged blocks are written. */
import type { CidBytes } from '../../data/cid.ts';

/** A number has 53 bits: 35 for the key and 18 for the index. */
const INDEX_BITS = 18;
const INDEXES: number = 2 ** INDEX_BITS;

/** In text order, the digits of base32 (values 26 to 31) come before its letters. */
const rank = (five: number): number => (five + 6) & 31;

/** Returns the first seven characters of a CID's text after the common prefix, as a number in text order. */
const keyAt = (cid: CidBytes): number => {
  const [a, b, c, d, e] = [cid[4]!, cid[5]!, cid[6]!, cid[7]!, cid[8]!];
  // The first character has two bits of the prefix and three bits of the digest.
  const high = (rank(a >> 5) << 15) | (rank(a & 31) << 10) | (rank(b >> 3) << 5) | rank(((b & 7) << 2) | (c >> 6));
  const low = (rank((c >> 1) & 31) << 10) | (rank(((c & 1) << 4) | (d >> 4)) << 5) | rank(((d & 15) << 1) | (e >> 7));
  return high * 0x8000 + low;
};

/**
 * Returns the indexes of `total` CIDs, sorted nearly by CID text. Rows inserted in this order fill whole pages. Sorts
 * numbers, because making texts is slow. Each run of 262,144 CIDs is sorted separately.
 */
export const keyOrder = (total: number, cidAt: (index: number) => CidBytes): Uint32Array => {
  const order = new Uint32Array(total);
  for (let start = 0; start < total; start += INDEXES) {
    const count = Math.min(INDEXES, total - start);
    const keys = Float64Array.from({ length: count }, (_, i) => keyAt(cidAt(start + i)) * INDEXES + i).sort();
    for (let i = 0; i < count; i++) {
      order[start + i] = start + (keys[i]! % INDEXES);
    }
  }
  return order;
};
