/** Finds everything that trees reference. Visits each node once, even if several trees share it. */
import type { CID, CidBytes } from '../../data/cid.ts';
import { decodeCid } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import type { RepoError } from '../../errors.ts';
import { isRepoError } from '../../errors.ts';
import type { Node } from '../../mst/node.ts';
import type { NodeReader } from '../../mst/node-reader.ts';
import type { Subtree } from '../../mst/read-nodes.ts';
import { subtreeAt } from '../../mst/read-nodes.ts';

/** Nodes per read request. */
const BATCH = 256;

/** Reads nodes in the order of the argument. `undefined` for a node to skip. */
export type ReadNodes = (subtrees: readonly Subtree[]) => Promise<readonly (Node | undefined)[]>;

/**
 * Adds the nodes and record CIDs below `root` to `reached`. Skips nodes that are already in it.
 * @param onLeaf Called for each leaf of each new node, in no defined order.
 * @throws the errors of `read`.
 */
export const reachTree = (
  read: ReadNodes,
  root: CID,
  reached: CidSet,
  onLeaf?: (key: string, value: CidBytes) => void,
): Promise<void> => reachTrees(read, [root], reached, onLeaf);

/** As {@link reachTree}, for many trees with few requests. */
export const reachTrees = async (
  read: ReadNodes,
  roots: readonly CID[],
  reached: CidSet,
  onLeaf?: (key: string, value: CidBytes) => void,
): Promise<void> => {
  const rest: Subtree[] = roots
    .filter((root) => reached.add(root.bytes))
    .map((root) => ({ subtree: root.bytes as CidBytes, layer: undefined }));
  while (rest.length > 0) {
    for (const node of await read(rest.splice(-BATCH))) {
      if (node === undefined) {
        continue;
      }
      for (const [i, key] of node.keys.entries()) {
        reached.add(node.values[i]!);
        onLeaf?.(key, node.values[i]!);
      }
      for (let i = 0; i < node.children.length; i++) {
        const child = subtreeAt(node, i);
        if (child !== undefined && reached.add(child.subtree)) {
          rest.push(child);
        }
      }
    }
  }
};

/** Adds the nodes below `root`, without records, to `reached`. Skips nodes that are already in it. */
export const reachNodes = async (read: ReadNodes, root: CID, reached: CidSet): Promise<void> => {
  const rest: Subtree[] = reached.add(root.bytes) ? [{ subtree: root.bytes as CidBytes, layer: undefined }] : [];
  while (rest.length > 0) {
    for (const node of await read(rest.splice(-BATCH))) {
      for (let i = 0; i < (node?.children.length ?? 0); i++) {
        const child = subtreeAt(node!, i);
        if (child !== undefined && reached.add(child.subtree)) {
          rest.push(child);
        }
      }
    }
  }
};

/**
 * Reads nodes. For a block whose hash matches but which is not a valid node of its layer, calls `onFault` and returns
 * `undefined`.
 */
export const nodesPastFaults = async (
  nodes: NodeReader,
  subtrees: readonly Subtree[],
  onFault: (subtree: Subtree, fault: RepoError) => void,
): Promise<readonly (Node | undefined)[]> => {
  try {
    return await nodes.nodes(subtrees);
  } catch (error) {
    if (!isRepoError(error, 'Malformed')) {
      throw error;
    }
    if (subtrees.length === 1) {
      onFault(subtrees[0]!, error);
      return [undefined];
    }
  }
  const found: (Node | undefined)[] = [];
  for (const subtree of subtrees) {
    found.push(...(await nodesPastFaults(nodes, [subtree], onFault)));
  }
  return found;
};

/** Reads nodes. Returns `undefined` for a missing one. */
export const nodesPastMissing = async (
  nodes: NodeReader,
  subtrees: readonly Subtree[],
): Promise<readonly (Node | undefined)[]> => {
  try {
    return await nodes.nodes(subtrees);
  } catch (error) {
    if (!isRepoError(error, 'BlockNotFound')) {
      throw error;
    }
    if (subtrees.length === 1) {
      return [undefined];
    }
  }
  const found: (Node | undefined)[] = [];
  for (const subtree of subtrees) {
    found.push(...(await nodesPastMissing(nodes, [subtree])));
  }
  return found;
};

/** Yields the CIDs of a set in batches of bounded size. */
export function* batchesOf(cids: Iterable<Uint8Array>, size: number = BATCH): Generator<CID[]> {
  let batch: CID[] = [];
  for (const bytes of cids) {
    batch.push(decodeCid(bytes.slice()));
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) {
    yield batch;
  }
}
