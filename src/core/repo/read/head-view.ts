/** A pinned view of the head's records: `gc` keeps the commit until the reader ends. */
import { cidEquals } from '../../data/cid.ts';
import { isRepoError } from '../../errors.ts';
import { readPinned, withPinned } from '../care/pins.ts';
import type { RepoParts } from '../open-parts.ts';
import { readHead } from './head.ts';
import type { Head } from '../repo.ts';
import type { View } from './records.ts';

/** Returns a view of a commit, or of an empty tree. */
export const viewOf = ({ did, hashAll, nodes, records, store }: RepoParts, head: Head | undefined): View => ({
  did,
  root: head?.data,
  nodes,
  hashAll,
  blocks: store,
  records,
});

/** Most repetitions of a read whose head other owners remove meanwhile. */
const MAX_LOST = 10;

/** Runs `read` over the current head, and again if another owner has replaced and removed that head meanwhile. */
export const withHead = async <T>(
  parts: RepoParts,
  read: (view: View, head: Head | undefined) => Promise<T>,
): Promise<T> => {
  for (let lost = 0; ; lost++) {
    let head: Head | undefined;
    try {
      return await withPinned(
        parts.pins,
        async () => [(head = await readHead(parts))] as const,
        () => read(viewOf(parts, head), head),
      );
    } catch (error) {
      const mayBeLost = !parts.isOnlyOwner && lost < MAX_LOST && isRepoError(error, 'BlockNotFound');
      if (!mayBeLost || cidEquals((await readHead(parts))?.cid, head?.cid)) {
        throw error;
      }
    }
  }
};

/** Yields the values that `read` yields for the head. Reads and pins the head at the first `next`. */
export const listHead = <T>(
  parts: RepoParts,
  read: (view: View, head: Head | undefined) => AsyncIterable<T>,
): AsyncGenerator<T> =>
  readPinned(
    parts.pins,
    async () => [await readHead(parts)] as const,
    ([head]) => read(viewOf(parts, head), head),
  );
