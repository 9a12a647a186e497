/** The traversal of all walks: a list that starts with the root, whose front is opened batch by batch. */
import type { Subtree } from './read-nodes.ts';

/** How much a walk reads at once. */
export interface Batches {
  /** Items of the first batch. Later ones double. */
  readonly first: number;
  /** Most items of a batch. */
  readonly last: number;
  /** Most nodes per read. It bounds the memory for a hostile tree with nodes of 2 MB. */
  readonly nodes: number;
  /** Expected items to read, as a multiple of the batch. A subtree may have fewer items than most of its layer. */
  readonly ahead: number;
}

/** The first batch is small, so that a short list reads little. */
const NEAR: Batches = { first: 32, last: 512, nodes: 128, ahead: 1 };

/** A round trip takes as long as reading hundreds of nodes. */
const DISTANT: Batches = { first: 1024, last: 1024, nodes: 256, ahead: 2 };

/**
 * Returns the batches of a walk.
 * @param limit The number of items that are needed, if it is known. Without it, a walk of a distant store reads as if
 *   all items were needed.
 */
export const batchesOf = (isDistant: boolean | undefined, limit: number = Infinity): Batches => {
  if (isDistant !== true) {
    return NEAR;
  }
  const most = Math.max(1, Math.min(limit, DISTANT.last));
  return { ...DISTANT, first: most, last: most };
};

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
  { first, last: most, nodes, ahead }: Batches = NEAR,
): AsyncGenerator<Item[]> {
  // A stack: the last step is next.
  const rest: (Below | Item)[] = [root];
  let size = first;
  let batch: Item[] = [];
  while (rest.length > 0) {
    const next = rest.at(-1)!;
    if (!('subtree' in next)) {
      rest.pop();
      batch.push(next);
      if (batch.length === size) {
        yield batch;
        batch = [];
        size = Math.min(size * 2, most);
      }
      continue;
    }
    const front: (Below | Item)[] = [];
    const subtrees: Below[] = [];
    for (let expected = batch.length; expected < size * ahead && rest.length > 0 && subtrees.length < nodes; ) {
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
