/** Lists as parameters: one parameter has the bytes of all items, so that a list of any length is one statement. */
import type { CidLike } from '../../core/data/cid.ts';
import { bytesOfCid, CID_LENGTH } from '../../core/data/cid.ts';
import { concatBytes } from '../../core/data/bytes.ts';
import { writeKey } from './ordered-cid.ts';

/** Returns the keys of CIDs, one after the other. */
export const packKeys = (cids: readonly CidLike[]): Uint8Array<ArrayBuffer> => {
  const packed = new Uint8Array(cids.length * CID_LENGTH);
  cids.forEach((cid, i) => writeKey(bytesOfCid(cid), packed, i * CID_LENGTH));
  return packed;
};

/** The expression of one of these keys. `keys` and `index` are expressions, and indexes begin with 0. */
export const packedKeyAt = (keys: string, index: string): string =>
  `substring(${keys} from ${index} * ${CID_LENGTH} + 1 for ${CID_LENGTH})`;

/** Items of different lengths. The numbers are texts that cast to `int4[]`. */
export interface PackedList {
  readonly bytes: Uint8Array;
  /** The positions of the items, from 1. */
  readonly starts: string;
  readonly lengths: string;
}

export const packList = (items: readonly Uint8Array[]): PackedList => {
  let next = 1;
  const starts = items.map(({ length }) => {
    const start = next;
    next += length;
    return start;
  });
  return {
    bytes: concatBytes(items),
    starts: `{${starts.join(',')}}`,
    lengths: `{${items.map(({ length }) => length).join(',')}}`,
  };
};

/** Returns chunks of a list, of at most `count` items and, unless a single item has more, `bytes` bytes. */
export function* chunksOfList<T>(
  items: readonly T[],
  limits: { readonly count: number; readonly bytes: number },
  sizeOf: (item: T) => number,
): Generator<readonly T[]> {
  let start = 0;
  let size = 0;
  for (let i = 0; i < items.length; i++) {
    const next = sizeOf(items[i]!);
    if (i > start && (i - start >= limits.count || size + next > limits.bytes)) {
      yield items.slice(start, i);
      start = i;
      size = 0;
    }
    size += next;
  }
  if (start < items.length) {
    yield items.slice(start);
  }
}
