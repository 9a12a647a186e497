/** Nodes out of a store, each checked against its CID and decoded. */
import type { CID, CidBytes } from '../cid.ts';
import { cidToText, decodeCid, isCidOf } from '../cid.ts';
import { RepoError, isRepoError } from '../errors.ts';
import type { Block, BlockReader } from '../store.ts';
import { decodeNode } from './codec.ts';
import type { Node } from './node.ts';

/**
 * A node that is not read yet, and the layer it has to be on: one less than its parent's, or `undefined` for a root and
 * where nobody knows.
 */
export interface Subtree {
  readonly subtree: CidBytes;
  readonly layer: number | undefined;
}

/** The child of a node, or `undefined` where it has none. */
export const subtreeAt = (node: Node, index: number): Subtree | undefined => {
  const cid = node.children[index]?.cid;
  return cid === undefined ? undefined : { subtree: cid, layer: node.layer - 1 };
};

export interface NodeBlock extends Block {
  readonly node: Node;
}

const openBlock = (cid: CID, bytes: Uint8Array | undefined, layer: number | undefined): NodeBlock => {
  if (bytes === undefined) {
    throw new RepoError('BlockNotFound', `tree node not found; cid=${cidToText(cid)}`);
  }
  if (!isCidOf(cid, bytes)) {
    throw new RepoError('Corrupt', `the stored bytes of a tree node are not those that its CID names; cid=${cidToText(cid)}`);
  }
  try {
    return { cid, bytes, node: decodeNode(bytes, layer) };
  } catch (cause) {
    if (!isRepoError(cause, 'Malformed')) {
      throw cause;
    }
    throw new RepoError('Malformed', `${cause.message}; cid=${cidToText(cid)}`, { cause });
  }
};

/**
 * Reads nodes with one `getMany`; the answer is positional.
 * @throws {RepoError} `BlockNotFound`; `Corrupt` when the bytes are not those that the CID names; `Malformed` when they are
 *   no node, or none of that layer.
 */
export const readNodes = async (blocks: BlockReader, subtrees: readonly Subtree[]): Promise<NodeBlock[]> => {
  const cids = subtrees.map(({ subtree }) => decodeCid(subtree));
  const found = await blocks.getMany(cids);
  return subtrees.map(({ layer }, i) => openBlock(cids[i]!, found[i], layer));
};
