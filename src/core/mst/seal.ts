/** Gives new nodes their names: encodes and hashes each once, children before parents. */
import type { CidBytes } from '../cid.ts';
import { cidBytesOf, decodeCid } from '../cid.ts';
import type { Block } from '../store.ts';
import { encodeNode } from './codec.ts';
import type { Link } from './node.ts';
import { nodeOf } from './node.ts';

export interface Sealed {
  readonly root: CidBytes;
  /** The same tree, every link with its CID; what was loaded still is. */
  readonly tree: Link;
  /** The blocks of the nodes that were new, children before parents. Some may be stored already. */
  readonly blocks: readonly Block[];
}

const sealLink = (link: Link, blocks: Block[]): Link => {
  if (link.cid !== undefined) {
    return link;
  }
  const node = nodeOf(link);
  const children = node.children.map((child) => (child === undefined ? undefined : sealLink(child, blocks)));
  const sealed = { ...node, children };
  const bytes = encodeNode(sealed);
  const cid = cidBytesOf(bytes);
  blocks.push({ cid: decodeCid(cid), bytes });
  return { cid, node: sealed };
};

/** Names every node of a tree that is new. A tree without changes has no blocks to show for it. */
export const seal = (root: Link): Sealed => {
  const blocks: Block[] = [];
  const tree = sealLink(root, blocks);
  return { root: tree.cid!, tree, blocks };
};
