/** Reads nodes from a store, checks their hashes and decodes them. */
import type { CidBytes } from '../data/cid.ts';
import { CODEC_DAG_CBOR, cidBytesToText, isDigestOf } from '../data/cid.ts';
import { RepoError, isRepoError } from '../errors.ts';
import type { CidSet } from '../data/cid-set.ts';
import type { HashAll } from '../data/sha256.ts';
import { hashAll as hashOneByOne } from '../data/sha256.ts';
import type { BlockReader } from '../storage/ports.ts';
import { GET_AGAIN, decodeContent } from './codec.ts';
import { layersOf } from './key.ts';
import type { NamedNode, Node } from './node.ts';
import { placeNode } from './place-node.ts';

/**
 * A node that is not read yet, and its expected layer: one below its parent's, or `undefined` for a root or if unknown.
 */
export interface Subtree {
  readonly subtree: CidBytes;
  readonly layer: number | undefined;
}

/** Returns a child of a node, or `undefined`. */
export const subtreeAt = (node: Node, index: number): Subtree | undefined => {
  const cid = node.children[index]?.cid;
  return cid === undefined ? undefined : { subtree: cid, layer: node.layer - 1 };
};

export interface NodeBlock extends NamedNode {
  readonly bytes: Uint8Array;
}

const requireNode = (cid: CidBytes, bytes: Uint8Array | undefined): Uint8Array => {
  if (bytes === undefined) {
    throw new RepoError(
      'BlockNotFound',
      `tree node not found: run repair, then import a CAR; cid=${cidBytesToText(cid)}`,
    );
  }
  return bytes;
};

/** Runs a function and adds the CID to its `Malformed` errors. */
const naming = <T>(cid: CidBytes, run: () => T): T => {
  try {
    return run();
  } catch (cause) {
    if (!isRepoError(cause, 'Malformed')) {
      throw cause;
    }
    throw new RepoError('Malformed', `${cause.message}; cid=${cidBytesToText(cid)}`, { cause });
  }
};

/**
 * Reads nodes with one `getMany`, in order.
 * @param hashed CIDs whose blocks are already hashed. They are not hashed again.
 * @throws {RepoError} `BlockNotFound`; `Corrupt` when the bytes do not match the CID; `Malformed` when they are not a
 *   node, or not of that layer.
 */
export const readNodes = async (
  blocks: BlockReader,
  subtrees: readonly Subtree[],
  hashAll: HashAll = hashOneByOne,
  hashed?: Pick<CidSet, 'has'>,
): Promise<NodeBlock[]> => {
  const stored = await blocks.getMany(subtrees.map(({ subtree }) => subtree));
  const found = subtrees.map(({ subtree }, i) => requireNode(subtree, stored[i]));
  const unsure = [...found.keys()].filter((i) => hashed?.has(subtrees[i]!.subtree) !== true);
  const digests = hashAll(unsure.map((i) => found[i]!));
  const wrong = unsure.find((i, at) => !isDigestOf(subtrees[i]!.subtree, digests, at));
  if (wrong !== undefined) {
    throw new RepoError(
      'Corrupt',
      `the stored bytes of a tree node do not match its CID: run repair, then import a CAR; cid=${cidBytesToText(subtrees[wrong]!.subtree)}`,
    );
  }
  const contents = found.map((bytes, i) => {
    const { subtree: cid } = subtrees[i]!;
    return naming(cid, () => {
      if (cid[1] !== CODEC_DAG_CBOR) {
        throw new RepoError('Malformed', `not a tree node: it has a CID of raw bytes, expected dag-cbor. ${GET_AGAIN}`);
      }
      return decodeContent(bytes);
    });
  });
  // The first key gives the layer of a node. All first keys are hashed together.
  const layers = layersOf(
    contents.flatMap(({ keys }) => keys.slice(0, 1)),
    hashAll,
  );
  let next = 0;
  return contents.map((content, i) => {
    const { subtree: cid, layer } = subtrees[i]!;
    const own = content.keys.length === 0 ? undefined : layers[next++];
    return { cid, bytes: found[i]!, node: naming(cid, () => placeNode(content, layer, own)) };
  });
};
