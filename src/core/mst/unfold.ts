/** The traversal of all walks: a list that starts with the root, whose front is opened batch by batch. */
import type { Subtree } from './read-nodes.ts';

/** Most nodes per read. It bounds the memory for a hostile tree with nodes of 2 MB. */
const MAX_READ = 128;

/** The first batch is small, so that a short list reads little. Later batches double up to {@link LAST_BATCH}. */
const FIRST_BATCH = 32;
const LAST_BATCH = 512;

/** Opens subtrees. Returns the content of each, in order. */
export type Open<Item extends object, Below extends Subtree> = (
  subtrees: readonly Below[],
) => Promise<readonly (readonly (Below | Item)[])[]>;

/** Each layer has a fourth of the keys of the layer below, so a subtree has about four times as many keys per layer. */
const expectedBelow = ({ layer }: Subtree): number => (layer === undefined ? Infinity : 4 ** (layer + 1));

/**
 * Yields the items of a tree in order, in batches. Reads ahead as many subtrees as will probably fill the batch. An
 * `Item` must not have a member `subtree`.
 */
export async function* unfold<Item extends object, Below extends Subtree>(
  root: Below,
  open: Open<Item, Below>,
): AsyncGenerator<Item[]> {
  // A stack: the last step is next.
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
