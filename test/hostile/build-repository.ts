/** Builds whole repositories as an attacker would. Every part can be replaced. */
import { createHash } from 'node:crypto';
import { concatBytes } from '../../src/core/data/bytes.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import type { CID, CidBytes } from '../../src/core/data/cid.ts';
import { CODEC_DAG_CBOR, cidOfDigest, decodeCid } from '../../src/core/data/cid.ts';
import { createTreeBuilder } from '../../src/core/mst/build.ts';
import type { Signer } from '../../src/core/crypto/signer.ts';
import type { Block } from '../../src/core/blocks/block.ts';
import type { Tid } from '../../src/core/syntax/tid.ts';
import { tidOf } from '../../src/core/syntax/tid.ts';
import { DID, KEY, POST, post, rkeyOf } from '../../src/testing/repo/harness.ts';
import { headerOf, sectionOf } from '../core/car/raw-car.ts';

/** Returns a block. Node hashes, because some attacks have 100,000 blocks. */
export const blockOfBytes = (bytes: Uint8Array): Block => ({
  cid: cidOfDigest(CODEC_DAG_CBOR, createHash('sha256').update(bytes).digest()),
  bytes,
});

/** The time of these commits: after that of the repository that they replace, and before now. */
export const BASE_REV: Tid = tidOf(1_700_000_000_000_000, 0);
export const NEW_REV: Tid = tidOf(1_700_000_001_000_000, 0);

export type Entry = readonly [path: string, record: Block];

/** Returns posts with sorted keys. */
export const posts = (count: number, text = 'post'): Entry[] =>
  Array.from({ length: count }, (_, i) => [`${POST}/${rkeyOf(i)}`, blockOfBytes(encodeCbor(post(`${text} ${i}`)))]);

export interface RepositoryParts {
  readonly records?: readonly Entry[];
  /** Writes the tree, passes its nodes to the callback and returns its root. Default: the valid tree of the records. */
  readonly tree?: (onNode: (node: Block) => void) => CidBytes;
  /** Fields of the commit that replace the valid ones. `undefined` removes a field. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** `null` for a commit without a signature. */
  readonly signer?: Signer | null;
  /** The bytes of the commit, in place of those made from the options above. */
  readonly commit?: (data: CID) => Uint8Array | Promise<Uint8Array>;
}

export interface Repository {
  readonly commit: Block;
  readonly nodes: readonly Block[];
  readonly records: readonly Block[];
  /** The blocks: the commit, the nodes, the records. */
  readonly blocks: readonly Block[];
}

const buildTree = (records: readonly Entry[], onNode: (node: Block) => void): CidBytes => {
  const builder = createTreeBuilder((cid, bytes) => onNode({ cid: decodeCid(cid), bytes }));
  for (const [path, { cid }] of records.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    builder.add(path, cid.bytes as CidBytes);
  }
  return builder.finish();
};

/** Encodes the fields, and adds a signature of them. */
export const signFields = async (
  fields: Readonly<Record<string, unknown>>,
  signer: Signer = KEY,
): Promise<Uint8Array> => {
  const unsigned = encodeCbor(fields);
  return encodeCbor({ ...fields, sig: await signer.sign(unsigned) });
};

export const repositoryOf = async (parts: RepositoryParts = {}): Promise<Repository> => {
  const { records = posts(20), fields = {}, signer = KEY } = parts;
  const nodes: Block[] = [];
  const onNode = (node: Block): void => void nodes.push(node);
  const data = decodeCid(parts.tree === undefined ? buildTree(records, onNode) : parts.tree(onNode));
  const all = { did: DID, version: 3, data, rev: NEW_REV, prev: null, ...fields };
  const bytes =
    parts.commit === undefined
      ? await (signer === null ? encodeCbor(all) : signFields(all, signer))
      : await parts.commit(data);
  const commit = blockOfBytes(bytes);
  const blocks = [commit, ...nodes.reverse(), ...records.map(([, record]) => record)];
  return { commit, nodes, records: records.map(([, record]) => record), blocks };
};

/** Returns a CAR of any blocks, with any roots. */
export const carOfBlocks = (roots: readonly CID[], blocks: readonly Block[]): Uint8Array =>
  concatBytes([headerOf(...roots), ...blocks.map(sectionOf)]);

export const carOf = ({ commit, blocks }: Repository): Uint8Array => carOfBlocks([commit.cid], blocks);
