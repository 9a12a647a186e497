/** The order in which blocks are best written. */
import type { CidBytes } from '../../data/cid.ts';

/** Beyond 18 bits of index there is no room for the key in the 53 bits of a number. */
const INDEX_BITS = 18;
const INDEXES: number = 2 ** INDEX_BITS;

/** Base32 has its digits, which stand for 26 to 31, before its letters in the order of texts. */
const rank = (five: number): number => (five + 6) & 31;

/** The first seven characters of a CID's text that differ from CID to CID, as a number in their order. */
const keyAt = (cid: CidBytes): number => {
  const [a, b, c, d, e] = [cid[4]!, cid[5]!, cid[6]!, cid[7]!, cid[8]!];
  // The first character has three bits of the digest, after two of what comes before it.
  const high = (rank(a >> 5) << 15) | (rank(a & 31) << 10) | (rank(b >> 3) << 5) | rank(((b & 7) << 2) | (c >> 6));
  const low = (rank((c >> 1) & 31) << 10) | (rank(((c & 1) << 4) | (d >> 4)) << 5) | rank(((d & 15) << 1) | (e >> 7));
  return high * 0x8000 + low;
};

/**
 * The indexes of `total` CIDs, in the order of their texts but for a few neighbours: rows that go in so leave full
 * pages behind them. By numbers, so that no text is made for it. Of more than 262,144 CIDs, each so many by themselves.
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
