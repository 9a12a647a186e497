/**
 * Proofs: the nodes of a tree that prove the value of a key, or its absence. To check a proof, call `findValue` with
 * the tree's root, which the commit names, and a reader of only these blocks. https://atproto.com/specs/sync
 */
import type { CID } from '../data/cid.ts';
import { decodeCid } from '../data/cid.ts';
import type { Block } from '../blocks/block.ts';
import { encodeNode } from './codec.ts';
import { loadPaths } from './load.ts';
import type { Link } from './node.ts';
import { linkTo } from './node.ts';
import type { NodeReader } from './node-reader.ts';

/** Returns the blocks of the loaded nodes of a tree, parents before children. */
export const loadedBlocks = (root: Link): Block[] => {
  const blocks: Block[] = [];
  const rest: Link[] = [root];
  for (let link = rest.pop(); link !== undefined; link = rest.pop()) {
    const { cid, node } = link;
    if (cid === undefined || node === undefined) {
      continue;
    }
    // A node has one encoding, so these bytes equal the stored ones.
    blocks.push({ cid: decodeCid(cid), bytes: encodeNode(node) });
    rest.push(...node.children.filter((child) => child !== undefined).reverse());
  }
  return blocks;
};

/**
 * Returns the nodes from the root to each key, or to its place if it is absent. Each node once, parents before
 * children, without records.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`, `Malformed`: errors of the reader.
 */
export const pathProof = async (reader: NodeReader, root: CID, keys: readonly string[]): Promise<Block[]> =>
  loadedBlocks(await loadPaths(reader, linkTo(root), keys, { neighbours: false }));

/**
 * As {@link pathProof}, and includes the nodes of the neighbouring keys. With them, a receiver can undo a change of
 * these keys, which proves that nothing else changed. Firehose messages contain such a proof.
 */
export const coveringProof = async (reader: NodeReader, root: CID, keys: readonly string[]): Promise<Block[]> =>
  loadedBlocks(await loadPaths(reader, linkTo(root), keys));
