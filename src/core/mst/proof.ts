/**
 * Proofs: the few nodes of a tree that show what a key holds, or that the tree does not have it. Whoever has the commit
 * can check them with {@link findValue} over nothing but these blocks.
 * https://atproto.com/specs/sync
 */
import type { CID } from '../data/cid.ts';
import { decodeCid } from '../data/cid.ts';
import type { Block } from '../blocks/block.ts';
import { encodeNode } from './codec.ts';
import { loadPaths } from './load.ts';
import type { Link } from './node.ts';
import { linkTo } from './node.ts';
import type { NodeReader } from './node-reader.ts';

/** The nodes of a tree that are loaded, parents before children. */
const loadedBlocks = (root: Link): Block[] => {
  const blocks: Block[] = [];
  const rest: Link[] = [root];
  for (let link = rest.pop(); link !== undefined; link = rest.pop()) {
    const { cid, node } = link;
    if (cid === undefined || node === undefined) {
      continue;
    }
    // A node has one form only, so these are the bytes that it was read from.
    blocks.push({ cid: decodeCid(cid), bytes: encodeNode(node) });
    rest.push(...node.children.filter((child) => child !== undefined).reverse());
  }
  return blocks;
};

/**
 * The nodes from the root to each key, or to where the key would be. Each node once, parents before children; records
 * are not among them.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`, `Malformed`, as the reader does.
 */
export const pathProof = async (reader: NodeReader, root: CID, keys: readonly string[]): Promise<Block[]> =>
  loadedBlocks(await loadPaths(reader, linkTo(root), keys, { neighbours: false }));

/**
 * The nodes that also show the keys on both sides: what it takes to undo a change of these keys, and so to prove that
 * nothing else was changed. Firehose messages carry it. Order and errors as for {@link pathProof}.
 */
export const coveringProof = async (reader: NodeReader, root: CID, keys: readonly string[]): Promise<Block[]> =>
  loadedBlocks(await loadPaths(reader, linkTo(root), keys));
