/**
 * Checks a tree that nobody vouches for: every block against its hash, every node for its one form, its layer and its
 * place, all keys for one rising order, and at last the root against that of a tree built from the keys.
 *
 * The work is bounded by the number of nodes and not by the number of ways to reach them: a node is opened once, and
 * nothing is opened below {@link MAX_TREE_DEPTH}. 41 nodes, 8.6 kB in all, that each refer twice to the next are 2^40 ways.
 */
import type { CID, CidBytes } from '../cid.ts';
import { cidToText, decodeCid, isCidOf } from '../cid.ts';
import { createCidSet } from '../cid-set.ts';
import type { RepoErrorCode } from '../errors.ts';
import { isRepoError } from '../errors.ts';
import type { Fault } from '../long-work.ts';
import type { BlockReader } from '../store.ts';
import { createTreeBuilder } from './build.ts';
import type { NodeContent } from './codec.ts';
import { decodeContent } from './codec.ts';
import { layerOf } from './key.ts';
import type { Leaf } from './node.ts';
import { MAX_TREE_DEPTH } from './node.ts';
import type { Subtree } from './read-nodes.ts';
import { unfold } from './unfold.ts';

export interface VerifyTreeOptions {
  /** Called for each node that is there and is what its CID says. */
  readonly onNode?: ((cid: CidBytes) => void) | undefined;
  /** Given the leaves in batches, in the order of the tree, also those of a tree with faults. The walk waits for it. */
  readonly onLeaves?: ((leaves: readonly Leaf[]) => Promise<void>) | undefined;
  /** Ends the walk with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface TreeReport {
  /** None when the tree is sound. `BlockNotFound` for a missing node, `Corrupt` for other bytes than its CID's, else `Malformed`. */
  readonly faults: readonly Fault[];
  /** Nodes that are there and are what their CIDs say. */
  readonly nodes: number;
  readonly leaves: number;
}

interface Branch extends Subtree {
  /** Nodes above it. Layers are not to be trusted to end. */
  readonly depth: number;
}

interface LayeredLeaf extends Leaf {
  readonly layer: number;
}

type Report = (code: RepoErrorCode, message: string, where: Pick<Fault, 'cid' | 'path'>) => void;

/** The layer of a node: that of its first key, else the one that its parent says. */
const layerOfNode = (keyLayers: readonly number[], branch: Branch): number | undefined => keyLayers[0] ?? branch.layer;

/** What is wrong with a node that is well-formed by itself, given where it hangs. The first such thing is enough. */
const placeFault = (content: NodeContent, keyLayers: readonly number[], branch: Branch): string | undefined => {
  const { keys, children } = content;
  if (keys.length === 0) {
    const root = branch.depth === 0;
    const empty = children[0] === undefined;
    if (root !== empty) {
      return root ? 'the root has no keys and nodes below it' : 'there is an empty node that is not the root';
    }
    return undefined;
  }
  const [first] = keyLayers;
  if (branch.layer !== undefined && first !== branch.layer) {
    return `the node hangs on layer ${branch.layer} and has a key of layer ${first}; key=${keys[0]}`;
  }
  const other = keyLayers.findIndex((layer) => layer !== first);
  return other < 0 ? undefined : `the node has keys of the layers ${first} and ${keyLayers[other]}; key=${keys[other]}`;
};

/** Reads branches and answers what is in each: nothing where that cannot be told. */
const createOpen = (blocks: BlockReader, report: Report, onNode: (cid: CidBytes) => void, signal: AbortSignal | undefined) => {
  const visited = createCidSet();

  /** Whether a branch may be opened, for a tree never leads to one node twice, nor so deep. */
  const admit = (branch: Branch, cid: CID): boolean => {
    const refuse = (message: string): false => {
      report('Malformed', `${message}; cid=${cidToText(cid)}`, { cid });
      return false;
    };
    if (branch.depth >= MAX_TREE_DEPTH) {
      return refuse(`the tree is deeper than ${MAX_TREE_DEPTH} nodes`);
    }
    if (branch.layer !== undefined && branch.layer < 0) {
      return refuse('there is a node below layer 0');
    }
    return visited.add(branch.subtree) || refuse('the tree has one node in two places');
  };

  const decode = (cid: CID, bytes: Uint8Array | undefined): NodeContent | undefined => {
    if (bytes === undefined) {
      report('BlockNotFound', `tree node not found; cid=${cidToText(cid)}`, { cid });
      return undefined;
    }
    if (!isCidOf(cid, bytes)) {
      report('Corrupt', `the bytes of a tree node are not those that its CID names; cid=${cidToText(cid)}`, { cid });
      return undefined;
    }
    onNode(cid.bytes as CidBytes);
    try {
      return decodeContent(bytes);
    } catch (error) {
      if (!isRepoError(error, 'Malformed')) {
        throw error;
      }
      report('Malformed', `${error.message}; cid=${cidToText(cid)}`, { cid });
      return undefined;
    }
  };

  const stepsOf = (content: NodeContent, branch: Branch, cid: CID): (Branch | LayeredLeaf)[] => {
    const { keys, values, children } = content;
    const keyLayers = keys.map(layerOf);
    const fault = placeFault(content, keyLayers, branch);
    if (fault !== undefined) {
      report('Malformed', `${fault}; cid=${cidToText(cid)}`, { cid });
    }
    const layer = layerOfNode(keyLayers, branch);
    const below = { layer: layer === undefined ? undefined : layer - 1, depth: branch.depth + 1 };
    const steps: (Branch | LayeredLeaf)[] = [];
    for (let i = 0; i < children.length; i++) {
      const child = children[i]?.cid;
      if (child !== undefined) {
        steps.push({ subtree: child, ...below });
      }
      const key = keys[i];
      if (key !== undefined) {
        steps.push({ key, value: values[i]!, layer: keyLayers[i]! });
      }
    }
    return steps;
  };

  return async (branches: readonly Branch[]): Promise<(Branch | LayeredLeaf)[][]> => {
    signal?.throwIfAborted();
    const cids = branches.map(({ subtree }) => decodeCid(subtree));
    const admitted = branches.map((branch, i) => admit(branch, cids[i]!));
    const found = await blocks.getMany(cids.filter((_, i) => admitted[i]));
    let next = 0;
    return branches.map((branch, i) => {
      const cid = cids[i]!;
      const content = admitted[i] === true ? decode(cid, found[next++]) : undefined;
      return content === undefined ? [] : stepsOf(content, branch, cid);
    });
  };
};

/**
 * Checks a whole tree and answers every fault there is, going on after each. Holds some 50 bytes a node and what is open.
 * That the records are there is for `onLeaves` to check.
 * @throws what `blocks` or a callback throws, and the reason of `signal`. A fault of the tree is answered, not thrown.
 */
export const verifyTree = async (blocks: BlockReader, root: CID, options: VerifyTreeOptions = {}): Promise<TreeReport> => {
  const { onNode, onLeaves, signal } = options;
  const faults: Fault[] = [];
  const report: Report = (code, message, where) => {
    faults.push({ code, message, ...where });
  };
  let nodes = 0;
  let leaves = 0;
  const count = (cid: CidBytes): void => {
    nodes += 1;
    onNode?.(cid);
  };
  const builder = createTreeBuilder();
  let before = '';
  const checkLeaf = ({ key, value, layer }: LayeredLeaf): void => {
    if (key <= before) {
      report('Malformed', `a key is not in order; key=${key} before=${before}`, { path: key });
      return;
    }
    before = key;
    // After a fault the roots are known to differ, and the keys may not even make a tree that is within the limits.
    if (faults.length === 0) {
      builder.add(key, value, layer);
    }
  };

  const branch: Branch = { subtree: root.bytes as CidBytes, layer: undefined, depth: 0 };
  for await (const batch of unfold<LayeredLeaf, Branch>(branch, createOpen(blocks, report, count, signal))) {
    signal?.throwIfAborted();
    batch.forEach(checkLeaf);
    leaves += batch.length;
    await onLeaves?.(batch);
  }
  const built = faults.length === 0 ? decodeCid(builder.finish()) : root;
  if (!built.equals(root)) {
    report('Malformed', `a tree of the same keys has another root; built=${cidToText(built)} cid=${cidToText(root)}`, { cid: root });
  }
  return { faults, nodes, leaves };
};
