/** Seals a tree: encodes and hashes each new node once, children before parents. */
import type { CidBytes } from '../data/cid.ts';
import { dagCborCidAt, decodeCid } from '../data/cid.ts';
import type { HashAll } from '../data/sha256.ts';
import { hashAll as hashOneByOne } from '../data/sha256.ts';
import type { Block } from '../blocks/block.ts';
import { encodeNode } from './codec.ts';
import type { Link, NamedNode } from './node.ts';
import { nodeOf } from './node.ts';

export interface Sealed {
  readonly root: CidBytes;
  /** The same tree. Every link has its CID; loaded nodes stay loaded. */
  readonly tree: Link;
  /** The blocks of new nodes, children before parents. Some may be stored already. */
  readonly blocks: readonly Block[];
  /** The nodes of these blocks, in the same order. */
  readonly nodes: readonly NamedNode[];
}

interface Work {
  readonly blocks: Block[];
  readonly nodes: NamedNode[];
  readonly hashAll: HashAll;
}

const sealLink = (link: Link, work: Work): Link => {
  if (link.cid !== undefined) {
    return link;
  }
  const node = nodeOf(link);
  const children = node.children.map((child) => (child === undefined ? undefined : sealLink(child, work)));
  const sealed = { ...node, children };
  const bytes = encodeNode(sealed);
  const cid = dagCborCidAt(work.hashAll([bytes]), 0);
  work.blocks.push({ cid: decodeCid(cid), bytes });
  work.nodes.push({ cid, node: sealed });
  return { cid, node: sealed };
};

/** Sets the CID of each new node. A tree without changes gives no blocks. */
export const seal = (root: Link, hashAll: HashAll = hashOneByOne): Sealed => {
  const work: Work = { blocks: [], nodes: [], hashAll };
  const tree = sealLink(root, work);
  return { root: tree.cid!, tree, blocks: work.blocks, nodes: work.nodes };
};
