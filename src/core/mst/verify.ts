/**
 * Verifies an untrusted tree: the hash of every block, the encoding, layer and position of every node, the order of all
 * keys, and the root, by building the tree again from its keys.
 *
 * The work is bounded by the number of nodes, not of paths: each node is opened once, and none below
 * {@link MAX_TREE_DEPTH}. 41 nodes (8.6 kB) that each reference the next one twice have 2^40 paths.
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
import { GET_AGAIN, decodeContent } from './codec.ts';
import { layersOf } from './key.ts';
import type { Leaf, NodeContent } from './node.ts';
import { MAX_TREE_DEPTH } from './node.ts';
import type { Subtree } from './read-nodes.ts';
import { batchesOf, unfold } from './unfold.ts';

export interface VerifyTreeOptions {
  /** Whether each read is a round trip to another machine. */
  readonly isDistant?: boolean | undefined;
  /** Called for each node that is present and matches its CID. */
  readonly onNode?: ((cid: CidBytes) => void) | undefined;
  /** Called with batches of leaves in tree order, also for a tree with faults. The walk awaits it. */
  readonly onLeaves?: ((leaves: readonly Leaf[]) => Promise<void>) | undefined;
  /** Called for each fault, including those that the report only counts. */
  readonly onFault?: ((fault: Fault) => void) | undefined;
  /** Aborts the walk with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Hashes nodes and keys in batches. Default: one by one. */
  readonly hashAll?: HashAll | undefined;
  /** CIDs whose blocks are already hashed. They are not hashed again. */
  readonly hashed?: Pick<CidSet, 'has'> | undefined;
  /** Takes the CID of each node that is opened. Returns `false` if it has it. Default: a new set of CIDs. */
  readonly visit?: ((cid: CidBytes) => boolean) | undefined;
}

/** Returns the bytes of blocks, in order. They may be views. */
export type ReadBlocks = (cids: readonly CidBytes[]) => Promise<readonly (Uint8Array | undefined)[]>;

export interface TreeReport {
  /**
   * The first `MAX_REPORTED` faults. Codes: `BlockNotFound` for a missing node, `Corrupt` for bytes that do not match
   * the CID, otherwise `Malformed`.
   */
  readonly faults: readonly Fault[];
  /** Number of faults. */
  readonly faultCount: number;
  /** Nodes that are present and match their CIDs. */
  readonly nodes: number;
  readonly leaves: number;
}

interface Branch extends Subtree {
  /** The number of nodes above. Layers of an untrusted tree may not decrease. */
  readonly depth: number;
}

interface LayeredLeaf extends Leaf {
  readonly layer: number;
}

type Report = (code: RepoErrorCode, message: string, where: Pick<Fault, 'cid' | 'path'>) => void;

interface PlaceFault {
  readonly what: string;
  /** The key that causes the fault. */
  readonly key?: string | undefined;
}

/** Returns the message of a fault in the node with this CID. */
const messageOf = (what: string, cid: CidBytes, key?: string): string =>
  `${what}. ${GET_AGAIN};${key === undefined ? '' : ` key=${key}`} cid=${cidBytesToText(cid)}`;

/** Returns the first fault of a well-formed node at its position. The layers of its keys are `layers` from `at` on. */
const placeFault = (
  { keys, children }: NodeContent,
  layers: readonly number[],
  at: number,
  branch: Branch,
): PlaceFault | undefined => {
  if (keys.length === 0) {
    const root = branch.depth === 0;
    const empty = children[0] === undefined;
    if (root !== empty) {
      return root ? { what: 'the root has no keys, but a child' } : { what: 'an empty node is not the root' };
    }
    return undefined;
  }
  const first = layers[at]!;
  if (branch.layer !== undefined && first !== branch.layer) {
    return { what: `the node is on layer ${branch.layer} but has a key of layer ${first}`, key: keys[0] };
  }
  for (let i = 1; i < keys.length; i++) {
    if (layers[at + i] !== first) {
      return { what: `the node has keys of the layers ${first} and ${layers[at + i]}`, key: keys[i] };
    }
  }
  return undefined;
};

/** The context of one check. */
interface Check {
  readonly read: ReadBlocks;
  readonly report: Report;
  readonly onNode: (cid: CidBytes) => void;
  readonly hash: HashAll;
  readonly hashed: Pick<CidSet, 'has'> | undefined;
  readonly visit: (cid: CidBytes) => boolean;
  readonly signal: AbortSignal | undefined;
}

/** Returns for each block whether it matches its CID, or `undefined` if it is missing. */
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

/** Decodes a block. Reports a fault if it is missing, does not match its CID, or is not a node. */
const openBlock = (
  { report, onNode }: Check,
  cid: CidBytes,
  bytes: Uint8Array | undefined,
  sound: boolean | undefined,
): NodeContent | undefined => {
  const fault = (code: RepoErrorCode, message: string): undefined => {
    report(code, message, { cid: decodeCid(cid) });
  };
  if (bytes === undefined) {
    return fault('BlockNotFound', messageOf('tree node not found', cid));
  }
  if (sound !== true) {
    return fault('Corrupt', messageOf('the bytes of a tree node do not match its CID', cid));
  }
  onNode(cid);
  try {
    return decodeContent(bytes, 'views');
  } catch (error) {
    if (!isRepoError(error, 'Malformed')) {
      throw error;
    }
    return fault('Malformed', `${error.message}; cid=${cidBytesToText(cid)}`);
  }
};

/** Returns the children and keys of a node, in order. The layers of its keys are `layers` from `at` on. */
const stepsOf = (
  { keys, values, children }: NodeContent,
  layers: readonly number[],
  at: number,
  branch: Branch,
): (Branch | LayeredLeaf)[] => {
  // The layer of its first key, or the layer that its parent gives.
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

const createVisit = () => {
  const visited = createCidSet();
  return (cid: CidBytes): boolean => visited.add(cid);
};

/** Returns a function that opens branches. A branch that cannot be read gives no steps. */
const createOpen = (check: Check) => {
  const { read, report, hash, visit, signal } = check;

  /** Returns whether a branch may be opened. Reports branches that are too deep or were opened before. */
  const admit = ({ subtree, layer, depth }: Branch): boolean => {
    const refuse = (message: string): false => {
      report('Malformed', messageOf(message, subtree), { cid: decodeCid(subtree) });
      return false;
    };
    if (depth >= MAX_TREE_DEPTH) {
      return refuse(`the tree is deeper than ${MAX_TREE_DEPTH} nodes`);
    }
    if (layer !== undefined && layer < 0) {
      return refuse('a node is below layer 0');
    }
    if (subtree[1] !== CODEC_DAG_CBOR) {
      return refuse('the tree node has a CID of raw bytes, expected dag-cbor');
    }
    return visit(subtree) || refuse('the tree has the same node in two places');
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
        report('Malformed', messageOf(fault.what, branch.subtree, fault.key), { cid: decodeCid(branch.subtree) });
      }
      return stepsOf(content, layers, at, branch);
    });
  };
};

/**
 * Checks a whole tree and continues after each fault. Uses about 50 bytes of memory per node. `onLeaves` must check
 * that the records are present.
 * @throws the errors of `read` and of callbacks, and the reason of `signal`. Faults are returned, not thrown.
 */
export const verifyTreeOf = async (
  read: ReadBlocks,
  root: CidBytes,
  options: VerifyTreeOptions = {},
): Promise<TreeReport> => {
  const { onFault, onNode, onLeaves, hashAll, hashed, signal, isDistant, visit = createVisit() } = options;
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
      report('Malformed', `a key is not in order. ${GET_AGAIN}; key=${key} before=${before}`, { path: key });
      return;
    }
    before = key;
    // After a fault, the root is not compared, and the keys may exceed the limits of a tree.
    if (faults.count === 0) {
      builder.add(key, value, layer);
    }
  };

  const branch: Branch = { subtree: root, layer: undefined, depth: 0 };
  const open = createOpen({ read, report, onNode: count, hash: hashAll ?? hashOneByOne, hashed, visit, signal });
  for await (const batch of unfold<LayeredLeaf, Branch>(branch, open, batchesOf(isDistant))) {
    signal?.throwIfAborted();
    batch.forEach(checkLeaf);
    leaves += batch.length;
    await onLeaves?.(batch);
  }
  const built = faults.count === 0 ? builder.finish() : root;
  if (!equalBytes(built, root)) {
    const message = `the tree does not have the shape that its keys require. ${GET_AGAIN}; built=${cidBytesToText(built)} cid=${cidBytesToText(root)}`;
    report('Malformed', message, { cid: decodeCid(root) });
  }
  return { faults: faults.items, faultCount: faults.count, nodes, leaves };
};

/** {@link verifyTreeOf} for a tree in a store. */
export const verifyTree = (blocks: BlockReader, root: CID, options: VerifyTreeOptions = {}): Promise<TreeReport> =>
  verifyTreeOf((cids) => blocks.getMany(cids), root.bytes as CidBytes, { isDistant: blocks.isDistant, ...options });
