/** Nodes out of a store, each checked against its CID and decoded. */
import type { CID, CidBytes } from '../cid.ts';
import { cidToText, decodeCid, isDigestOf } from '../cid.ts';
import { RepoError, isRepoError } from '../errors.ts';
import type { HashAll } from '../sha256.ts';
import { hashAll as hashOneByOne } from '../sha256.ts';
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

const requireNode = (cid: CID, bytes: Uint8Array | undefined): Uint8Array => {
  if (bytes === undefined) {
    throw new RepoError('BlockNotFound', `tree node not found; cid=${cidToText(cid)}`);
  }
  return bytes;
};

const openBlock = (cid: CID, bytes: Uint8Array, isSound: boolean, layer: number | undefined): NodeBlock => {
  if (!isSound) {
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
export const readNodes = async (
  blocks: BlockReader,
  subtrees: readonly Subtree[],
  hashAll: HashAll = hashOneByOne,
): Promise<NodeBlock[]> => {
  const cids = subtrees.map(({ subtree }) => decodeCid(subtree));
  const stored = await blocks.getMany(cids);
  const found = cids.map((cid, i) => requireNode(cid, stored[i]));
  const digests = hashAll(found);
  return found.map((bytes, i) => openBlock(cids[i]!, bytes, isDigestOf(subtrees[i]!.subtree, digests, i), subtrees[i]!.layer));
};
