/** A signed repository of 500 records in memory, and proofs from it. */
import { writeCar } from '../../../../src/core/car/writer.ts';
import { CODEC_DAG_CBOR, cidOf } from '../../../../src/core/data/cid.ts';
import type { CID, CidBytes } from '../../../../src/core/data/cid.ts';
import { encodeCbor } from '../../../../src/core/data/cbor-encode.ts';
import type { Block } from '../../../../src/core/blocks/block.ts';
import { createNodeReader } from '../../../../src/core/mst/node-reader.ts';
import { pathProof } from '../../../../src/core/mst/proof.ts';
import type { CreatedCommit } from '../../../../src/core/repo/commit.ts';
import { createCommit } from '../../../../src/core/repo/commit.ts';
import type { VerifyProofOptions } from '../../../../src/core/repo/proof/verify-proof.ts';
import { parseTid } from '../../../../src/core/syntax/tid.ts';
import { DID, KEY } from '../../../../src/testing/repo/harness.ts';
import { seeded } from '../../../random/seeded.ts';
import { BlocksInMemory, buildTree, manyKeys } from '../../mst/blocks-in-memory.ts';

const blocks = new BlocksInMemory();
/** In order. */
export const paths: readonly string[] = manyKeys(500, seeded(130));
export const records: ReadonlyMap<string, Block> = new Map(
  paths.map((path) => {
    const bytes = encodeCbor({ $type: path.split('/')[0], text: path });
    return [path, { cid: cidOf(CODEC_DAG_CBOR, bytes), bytes }];
  }),
);
export const data: CID = buildTree(
  blocks,
  paths.map((path) => [path, records.get(path)!.cid.bytes as CidBytes]),
);
export const REV = parseTid('3n3e2c5q2fr2x');
export const commit: CreatedCommit = await createCommit({ did: DID, data, rev: REV }, KEY);

/** Options for the account. */
export const options = (path: string): VerifyProofOptions => ({ did: DID, key: KEY.did(), path });

export const nodesTo = (path: string): Promise<Block[]> => pathProof(createNodeReader(blocks), data, [path]);

export const proofOf = async (path: string): Promise<Uint8Array> => {
  const record = records.get(path);
  return writeCar([commit.cid], [commit, ...(await nodesTo(path)), ...(record === undefined ? [] : [record])]);
};
