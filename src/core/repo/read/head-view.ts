/** The head's records for one reader: the state stays until the reader ends, also while garbage is collected. */
import { readPinned, withPinned } from '../care/pins.ts';
import type { RepoParts } from '../open-parts.ts';
import { readHead } from './head.ts';
import type { Head } from '../repo.ts';
import type { View } from './records.ts';

/** The records of a commit, or none. */
export const viewOf = ({ did, hashAll, nodes, store }: RepoParts, head: Head | undefined): View => ({
  did,
  root: head?.data,
  nodes,
  hashAll,
  blocks: store,
});

/** Runs `read` over the head of now. */
export const withHead = <T>(parts: RepoParts, read: (view: View, head: Head | undefined) => Promise<T>): Promise<T> =>
  withPinned(
    parts.pins,
    async () => [await readHead(parts)] as const,
    ([head]) => read(viewOf(parts, head), head),
  );

/** Yields what `read` does over the head of the first read. */
export const listHead = <T>(
  parts: RepoParts,
  read: (view: View, head: Head | undefined) => AsyncIterable<T>,
): AsyncGenerator<T> =>
  readPinned(
    parts.pins,
    async () => [await readHead(parts)] as const,
    ([head]) => read(viewOf(parts, head), head),
  );
