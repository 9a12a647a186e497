/**
 * Loads the part of a tree whose nodes are present, for trees that come from others as a few blocks: proofs and commit
 * events. Each node is checked by itself and against its parent, because no full check follows.
 */
import type { CID, CidBytes } from '../data/cid.ts';
import { cidBytesToText } from '../data/cid.ts';
import { createCidSet } from '../data/cid-set.ts';
import type { HashAll } from '../data/sha256.ts';
import { hashAll as hashOneByOne } from '../data/sha256.ts';
import { RepoError } from '../errors.ts';
import type { BlockReader } from '../storage/ports.ts';
import { layersOf } from './key.ts';
import type { Link, NamedNode, Node } from './node.ts';
import { isEmptyNode, linkTo } from './node.ts';
import { readNodes } from './read-nodes.ts';

/** A link to fill in, and what its parent promises: the layer, and the keys on both sides. */
interface Opening {
  readonly cid: CidBytes;
  readonly layer: number | undefined;
  readonly after: string | undefined;
  readonly before: string | undefined;
  readonly siblings: (Link | undefined)[];
  readonly index: number;
}

const malformed = (cid: CidBytes, what: string): RepoError =>
  new RepoError('Malformed', `not a valid tree: ${what}. Get its blocks again; cid=${cidBytesToText(cid)}`);

/** @throws {RepoError} `Malformed` when the node is not sound in its place. `layers` are those of its keys. */
const assertPlace = ({ cid, layer, after, before }: Opening, node: Node, layers: readonly number[]): void => {
  const { keys } = node;
  if (keys.length === 0 && layer === undefined && !isEmptyNode(node)) {
    throw malformed(cid, 'the root has no keys, but a child');
  }
  const other = layers.findIndex((found) => found !== node.layer);
  if (other >= 0) {
    throw malformed(cid, `the key ${keys[other]} of layer ${layers[other]} is in a node of layer ${node.layer}`);
  }
  // The keys of a node are in order, so its first and last key decide.
  if ((after !== undefined && keys[0]! <= after) || (before !== undefined && keys.at(-1)! >= before)) {
    throw malformed(
      cid,
      `the keys from ${keys[0]} to ${keys.at(-1)} are not between ${after ?? '(start)'} and ${before ?? '(end)'}, those of the parent`,
    );
  }
};

/** Returns the nodes whose blocks are present, each `undefined` where the block is missing. One read. */
const readPresent = async (
  blocks: BlockReader,
  openings: readonly Opening[],
  hashAll: HashAll,
): Promise<(NamedNode | undefined)[]> => {
  const found = await blocks.getMany(openings.map(({ cid }) => cid));
  const present = [...openings.keys()].filter((i) => found[i] !== undefined);
  const stored = { get: blocks.get.bind(blocks), getMany: async () => present.map((i) => found[i]) };
  const subtrees = present.map((i) => ({ subtree: openings[i]!.cid, layer: openings[i]!.layer }));
  const nodes: (NamedNode | undefined)[] = openings.map(() => undefined);
  (await readNodes(stored, subtrees, hashAll)).forEach((node, at) => (nodes[present[at]!] = node));
  return nodes;
};

/**
 * Returns the tree with every node loaded whose block the reader has. Links to missing blocks stay not loaded, the root
 * included.
 *
 * Every loaded node is canonical. Its keys have one layer, and are between the keys of its parent. No node occurs
 * twice.
 * The part that is not loaded is unknown: a lookup that reaches it fails with `BlockNotFound`.
 * @throws {RepoError} `Corrupt` when the bytes of a block do not match its CID; `Malformed` when a node breaks a rule
 *   of the tree.
 * @see https://atproto.com/specs/repository#mst-structure
 */
export const loadAvailable = async (blocks: BlockReader, root: CID, hashAll: HashAll = hashOneByOne): Promise<Link> => {
  const top: (Link | undefined)[] = [linkTo(root)];
  const seen = createCidSet();
  let openings: Opening[] = [
    { cid: root.bytes as CidBytes, layer: undefined, after: undefined, before: undefined, siblings: top, index: 0 },
  ];
  while (openings.length > 0) {
    const nodes = await readPresent(blocks, openings, hashAll);
    const layers = layersOf(
      nodes.flatMap((named) => named?.node.keys ?? []),
      hashAll,
    );
    const below: Opening[] = [];
    let at = 0;
    for (const [i, opening] of openings.entries()) {
      const node = nodes[i]?.node;
      if (node === undefined) {
        continue;
      }
      const { cid, siblings, index } = opening;
      if (!seen.add(cid)) {
        throw malformed(cid, 'the node is in two places');
      }
      assertPlace(opening, node, layers.slice(at, (at += node.keys.length)));
      const children = [...node.children];
      siblings[index] = { cid, node: { ...node, children } };
      for (const [j, child] of children.entries()) {
        if (child !== undefined) {
          const after = node.keys[j - 1] ?? opening.after;
          const before = node.keys[j] ?? opening.before;
          below.push({ cid: child.cid!, layer: node.layer - 1, after, before, siblings: children, index: j });
        }
      }
    }
    openings = below;
  }
  return top[0]!;
};
