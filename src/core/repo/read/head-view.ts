/** A pinned view of the head's records: `gc` keeps the commit until the reader ends. */
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

/** Runs `read` over the current head. */
export const withHead = <T>(parts: RepoParts, read: (view: View, head: Head | undefined) => Promise<T>): Promise<T> =>
  withPinned(
    parts.pins,
    async () => [await readHead(parts)] as const,
    ([head]) => read(viewOf(parts, head), head),
  );

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
