/** Everything that some trees refer to, each node visited once however many trees share it. */
import type { CID, CidBytes } from '../../data/cid.ts';
import { decodeCid } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import type { RepoError } from '../../errors.ts';
import { isRepoError } from '../../errors.ts';
import type { Node } from '../../mst/node.ts';
import type { NodeReader } from '../../mst/node-reader.ts';
import type { Subtree } from '../../mst/read-nodes.ts';
import { subtreeAt } from '../../mst/read-nodes.ts';

/** Nodes that are read with one request. */
const BATCH = 256;

/** Reads nodes, in the order asked; `undefined` for one to pass over. */
export type ReadNodes = (subtrees: readonly Subtree[]) => Promise<readonly (Node | undefined)[]>;

/**
 * Adds the nodes and the record CIDs below `root` to `reached`, passing over the nodes that are in it already.
 * @param onLeaf Called for each leaf of each node that was new, in no order that matters.
 * @throws what `read` throws.
 */
export const reachTree = async (
  read: ReadNodes,
  root: CID,
  reached: CidSet,
  onLeaf?: (key: string, value: CidBytes) => void,
): Promise<void> => {
  const rest: Subtree[] = reached.add(root.bytes) ? [{ subtree: root.bytes as CidBytes, layer: undefined }] : [];
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

/** Adds the nodes below `root` alone, passing over those that are in `reached` already. */
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
 * Nodes, past those that are none: their bytes are what the CID says, and no node of that layer. `onFault` is told of
 * each.
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

/** Nodes, past those that are missing. */
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

/** CIDs of a set in batches, for requests of a bounded size. */
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
