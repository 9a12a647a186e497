/** The order of every walk here: a list that begins as the root and is opened from its front, a batch at a time. */
import type { Subtree } from './read-nodes.ts';

/** Nodes in one read. A batch seldom needs as many; a hostile tree of nodes of 2 MB has to fit. */
const MAX_READ = 128;

/** The first batch is small, so that a list of fifty does not read for thousands; later ones double up to this. */
const FIRST_BATCH = 32;
const LAST_BATCH = 512;

/** What came of the subtrees, in their order. */
export type Open<Item extends object, Below extends Subtree> = (
  subtrees: readonly Below[],
) => Promise<readonly (readonly (Below | Item)[])[]>;

/** A key in four goes one layer up, so a node stands for four times as many keys with each layer. */
const expectedBelow = ({ layer }: Subtree): number => (layer === undefined ? Infinity : 4 ** (layer + 1));

/**
 * Opens a tree from the front and yields what is in it, in order, in batches. Reads ahead: as many subtrees with one
 * read as are likely to fill the batch, and no more. An `Item` must have no member `subtree`.
 */
export async function* unfold<Item extends object, Below extends Subtree>(
  root: Below,
  open: Open<Item, Below>,
): AsyncGenerator<Item[]> {
  // The last one is next, so that both ends of the work are cheap.
  const rest: (Below | Item)[] = [root];
  let size = FIRST_BATCH;
  let batch: Item[] = [];
  while (rest.length > 0) {
    const next = rest.at(-1)!;
    if (!('subtree' in next)) {
      rest.pop();
      batch.push(next);
      if (batch.length === size) {
        yield batch;
        batch = [];
        size = Math.min(size * 2, LAST_BATCH);
      }
      continue;
    }
    const front: (Below | Item)[] = [];
    const subtrees: Below[] = [];
    for (let expected = batch.length; expected < size && rest.length > 0 && subtrees.length < MAX_READ; ) {
      const step = rest.pop()!;
      front.push(step);
      if ('subtree' in step) {
        subtrees.push(step);
        expected += expectedBelow(step);
      } else {
        expected += 1;
      }
    }
    const opened = await open(subtrees);
    let last = opened.length;
    for (let i = front.length - 1; i >= 0; i--) {
      const step = front[i]!;
      if (!('subtree' in step)) {
        rest.push(step);
        continue;
      }
      last -= 1;
      const inside = opened[last]!;
      for (let j = inside.length - 1; j >= 0; j--) {
        rest.push(inside[j]!);
      }
    }
  }
  if (batch.length > 0) {
    yield batch;
  }
}
