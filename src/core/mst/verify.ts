/**
 * Checks a tree that nobody vouches for: every block against its hash, every node for its one form, its layer and its
 * place, all keys for one rising order, and at last the root against that of a tree built from the keys.
 *
 * The work is bounded by the number of nodes and not by the number of ways to reach them: a node is opened once, and
 * nothing is opened below {@link MAX_TREE_DEPTH}. 41 nodes, 8.6 kB in all, that each refer twice to the next are 2^40
 * ways.
 */
import { equalBytes } from '../data/bytes.ts';
import type { CID, CidBytes } from '../data/cid.ts';
import { BoundedList } from '../data/bounded-list.ts';
import { CODEC_DAG_CBOR, cidBytesToText, decodeCid, isDigestOf } from '../data/cid.ts';
import type { CidSet } from '../data/cid-set.ts';
import { createCidSet } from '../data/cid-set.ts';
import type { RepoErrorCode } from '../errors.ts';
import { isRepoError } from '../errors.ts';
import type { Fault } from '../data/fault.ts';
import type { HashAll } from '../data/sha256.ts';
import { hashAll as hashOneByOne } from '../data/sha256.ts';
import type { BlockReader } from '../storage/ports.ts';
import { createTreeBuilder } from './build.ts';
import { decodeContent } from './codec.ts';
import { layersOf } from './key.ts';
import type { Leaf, NodeContent } from './node.ts';
import { MAX_TREE_DEPTH } from './node.ts';
import type { Subtree } from './read-nodes.ts';
import { unfold } from './unfold.ts';

export interface VerifyTreeOptions {
  /** Called for each node that is there and is what its CID says. */
  readonly onNode?: ((cid: CidBytes) => void) | undefined;
  /** Given the leaves in batches, in the order of the tree, also those of a tree with faults. The walk waits for it. */
  readonly onLeaves?: ((leaves: readonly Leaf[]) => Promise<void>) | undefined;
  /** Called for each fault, also for those that the report only counts. */
  readonly onFault?: ((fault: Fault) => void) | undefined;
  /** Ends the walk with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Hashes nodes and keys, many at a time; one by one when left out. */
  readonly hashAll?: HashAll | undefined;
  /** CIDs whose blocks were hashed a moment ago; those are not hashed again. */
  readonly hashed?: Pick<CidSet, 'has'> | undefined;
}

/** The bytes of many blocks, in their order. Views will do. */
export type ReadBlocks = (cids: readonly CidBytes[]) => Promise<readonly (Uint8Array | undefined)[]>;

export interface TreeReport {
  /**
   * The first `MAX_REPORTED` faults; none when the tree is sound. `BlockNotFound` for a missing node, `Corrupt` for
   * other bytes than its CID's, else `Malformed`.
   */
  readonly faults: readonly Fault[];
  /** How many faults there are. */
  readonly faultCount: number;
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

/**
 * What is wrong with a node that is well-formed by itself, given where it hangs; `layers` of its keys from `at` on. The
 * first such thing is enough.
 */
const placeFault = (
  { keys, children }: NodeContent,
  layers: readonly number[],
  at: number,
  branch: Branch,
): string | undefined => {
  if (keys.length === 0) {
    const root = branch.depth === 0;
    const empty = children[0] === undefined;
    if (root !== empty) {
      return root ? 'the root has no keys and nodes below it' : 'there is an empty node that is not the root';
    }
    return undefined;
  }
  const first = layers[at]!;
  if (branch.layer !== undefined && first !== branch.layer) {
    return `the node hangs on layer ${branch.layer} and has a key of layer ${first}; key=${keys[0]}`;
  }
  for (let i = 1; i < keys.length; i++) {
    if (layers[at + i] !== first) {
      return `the node has keys of the layers ${first} and ${layers[at + i]}; key=${keys[i]}`;
    }
  }
  return undefined;
};

/** What the check of one tree shares. */
interface Check {
  readonly read: ReadBlocks;
  readonly report: Report;
  readonly onNode: (cid: CidBytes) => void;
  readonly hash: HashAll;
  readonly hashed: Pick<CidSet, 'has'> | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Whether each block is what its CID says; `undefined` where there is no block. */
const checkHashes = (
  { hash, hashed }: Check,
  cids: readonly CidBytes[],
  blocks: readonly (Uint8Array | undefined)[],
): (boolean | undefined)[] => {
  const sound = blocks.map((bytes, i) => (bytes === undefined ? undefined : hashed?.has(cids[i]!) === true));
  const unsure = [...sound.keys()].filter((i) => sound[i] === false);
  if (unsure.length > 0) {
    const digests = hash(unsure.map((i) => blocks[i]!));
    for (const [at, i] of unsure.entries()) {
      sound[i] = isDigestOf(cids[i]!, digests, at);
    }
  }
  return sound;
};

/** What a block says, if it is there, is what its CID says, and is a node. */
const openBlock = (
  { report, onNode }: Check,
  cid: CidBytes,
  bytes: Uint8Array | undefined,
  sound: boolean | undefined,
): NodeContent | undefined => {
  const fault = (code: RepoErrorCode, message: string): undefined => {
    report(code, `${message}; cid=${cidBytesToText(cid)}`, { cid: decodeCid(cid) });
  };
  if (bytes === undefined) {
    return fault('BlockNotFound', 'tree node not found');
  }
  if (sound !== true) {
    return fault('Corrupt', 'the bytes of a tree node are not those that its CID names');
  }
  onNode(cid);
  try {
    return decodeContent(bytes, 'views');
  } catch (error) {
    if (!isRepoError(error, 'Malformed')) {
      throw error;
    }
    return fault('Malformed', error.message);
  }
};

/** What is in a node, in order; `layers` of its keys from `at` on. */
const stepsOf = (
  { keys, values, children }: NodeContent,
  layers: readonly number[],
  at: number,
  branch: Branch,
): (Branch | LayeredLeaf)[] => {
  // That of its first key, else the one that its parent says.
  const own = keys.length > 0 ? layers[at] : branch.layer;
  const layer = own === undefined ? undefined : own - 1;
  const depth = branch.depth + 1;
  const steps: (Branch | LayeredLeaf)[] = [];
  for (let i = 0; i < children.length; i++) {
    const child = children[i]?.cid;
    if (child !== undefined) {
      steps.push({ subtree: child, layer, depth });
    }
    const key = keys[i];
    if (key !== undefined) {
      steps.push({ key, value: values[i]!, layer: layers[at + i]! });
    }
  }
  return steps;
};

/** Reads branches and answers what is in each: nothing where that cannot be told. */
const createOpen = (check: Check) => {
  const { read, report, hash, signal } = check;
  const visited = createCidSet();

  /** Whether a branch may be opened, for a tree never leads to one node twice, nor so deep. */
  const admit = ({ subtree, layer, depth }: Branch): boolean => {
    const refuse = (message: string): false => {
      report('Malformed', `${message}; cid=${cidBytesToText(subtree)}`, { cid: decodeCid(subtree) });
      return false;
    };
    if (depth >= MAX_TREE_DEPTH) {
      return refuse(`the tree is deeper than ${MAX_TREE_DEPTH} nodes`);
    }
    if (layer !== undefined && layer < 0) {
      return refuse('there is a node below layer 0');
    }
    if (subtree[1] !== CODEC_DAG_CBOR) {
      return refuse('a tree node under a CID of raw bytes');
    }
    return visited.add(subtree) || refuse('the tree has one node in two places');
  };

  return async (branches: readonly Branch[]): Promise<(Branch | LayeredLeaf)[][]> => {
    signal?.throwIfAborted();
    const admitted = branches.map(admit);
    const cids = branches.filter((_, i) => admitted[i]).map(({ subtree }) => subtree);
    const blocks = await read(cids);
    const sound = checkHashes(check, cids, blocks);
    const contents = cids.map((cid, i) => openBlock(check, cid, blocks[i], sound[i]));
    const keys: string[] = [];
    for (const content of contents) {
      keys.push(...(content?.keys ?? []));
    }
    const layers = layersOf(keys, hash);
    let opened = 0;
    let placed = 0;
    return branches.map((branch, i) => {
      const content = admitted[i] === true ? contents[opened++] : undefined;
      if (content === undefined) {
        return [];
      }
      const at = placed;
      placed += content.keys.length;
      const fault = placeFault(content, layers, at, branch);
      if (fault !== undefined) {
        report('Malformed', `${fault}; cid=${cidBytesToText(branch.subtree)}`, { cid: decodeCid(branch.subtree) });
      }
      return stepsOf(content, layers, at, branch);
    });
  };
};

/**
 * Checks a whole tree and goes on after each fault. Holds some 50 bytes a node and what is open. That the records are
 * there is for `onLeaves` to check.
 * @throws what `read` or a callback throws, and the reason of `signal`. A fault of the tree is answered, not thrown.
 */
export const verifyTreeOf = async (
  read: ReadBlocks,
  root: CidBytes,
  options: VerifyTreeOptions = {},
): Promise<TreeReport> => {
  const { onFault, onNode, onLeaves, hashAll, hashed, signal } = options;
  const faults = new BoundedList<Fault>();
  const report: Report = (code, message, where) => {
    const fault: Fault = { code, message, ...where };
    faults.add(fault);
    onFault?.(fault);
  };
  let nodes = 0;
  let leaves = 0;
  const count = (cid: CidBytes): void => {
    nodes += 1;
    onNode?.(cid);
  };
  const builder = createTreeBuilder(undefined, { hashAll });
  let before = '';
  const checkLeaf = ({ key, value, layer }: LayeredLeaf): void => {
    if (key <= before) {
      report('Malformed', `a key is not in order; key=${key} before=${before}`, { path: key });
      return;
    }
    before = key;
    // After a fault the roots are known to differ, and the keys may not even make a tree that is within the limits.
    if (faults.count === 0) {
      builder.add(key, value, layer);
    }
  };

  const branch: Branch = { subtree: root, layer: undefined, depth: 0 };
  const open = createOpen({ read, report, onNode: count, hash: hashAll ?? hashOneByOne, hashed, signal });
  for await (const batch of unfold<LayeredLeaf, Branch>(branch, open)) {
    signal?.throwIfAborted();
    batch.forEach(checkLeaf);
    leaves += batch.length;
    await onLeaves?.(batch);
  }
  const built = faults.count === 0 ? builder.finish() : root;
  if (!equalBytes(built, root)) {
    const message = `a tree of the same keys has another root; built=${cidBytesToText(built)} cid=${cidBytesToText(root)}`;
    report('Malformed', message, { cid: decodeCid(root) });
  }
  return { faults: faults.items, faultCount: faults.count, nodes, leaves };
};

/** {@link verifyTreeOf} for a tree in a store. */
export const verifyTree = (blocks: BlockReader, root: CID, options: VerifyTreeOptions = {}): Promise<TreeReport> =>
  verifyTreeOf((cids) => blocks.getMany(cids), root.bytes as CidBytes, options);
