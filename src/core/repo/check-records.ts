/** Records of a tree, one by one: are they there, are they what their CIDs say, do they keep to the data model. */
import { blobMentions, mayMentionBlob } from '../blob-ref.ts';
import { cidBytesToText, decodeCid, isDigestOf } from '../cid.ts';
import type { CidSet } from '../cid-set.ts';
import { createCidSet } from '../cid-set.ts';
import { isRepoError } from '../errors.ts';
import type { Leaf } from '../mst/walk.ts';
import type { Fault } from '../long-work.ts';
import type { ReadBlocks } from '../mst/verify.ts';
import { sha256 } from '../sha256.ts';
import { createAssertPath } from './path.ts';
import { checkStored, decodeStored } from './record.ts';

/** Checks records as they come, and collects what it finds. */
export interface RecordCheck {
  /** What is wrong so far: `BlockNotFound`, `Corrupt`; `Malformed` for one that breaks the data model. */
  readonly faults: readonly Fault[];
  /** Every blob that a record mentioned so far. */
  readonly mentioned: CidSet;
  /** Checks the records of some leaves; their blocks are read with one request. */
  check(leaves: readonly Leaf[]): Promise<void>;
}

/** @param hashed CIDs whose blocks were hashed a moment ago; theirs are not hashed again. */
export const createRecordCheck = (read: ReadBlocks, hashed: { has(cid: Uint8Array): boolean }): RecordCheck => {
  const faults: Fault[] = [];
  const mentioned = createCidSet();
  const assertPath = createAssertPath();

  const report = (code: Fault['code'], message: string, { key: path, value }: Leaf): void => {
    faults.push({ code, message, path, cid: decodeCid(value) });
  };

  const checkOne = (leaf: Leaf, bytes: Uint8Array | undefined): void => {
    const { key: path, value: cid } = leaf;
    if (bytes === undefined) {
      report('BlockNotFound', `the record's block is missing; path=${path} cid=${cidBytesToText(cid)}`, leaf);
      return;
    }
    if (!hashed.has(cid) && !isDigestOf(cid, sha256(bytes), 0)) {
      report('Corrupt', `the stored record is not the one that its CID names; path=${path} cid=${cidBytesToText(cid)}`, leaf);
      return;
    }
    try {
      assertPath(path);
      if (mayMentionBlob(bytes)) {
        for (const mention of blobMentions(decodeStored(path, cid, bytes))) {
          mentioned.add(mention.cid.bytes);
        }
      } else {
        checkStored(path, cid, bytes);
      }
    } catch (error) {
      if (!isRepoError(error, 'Malformed')) {
        throw error;
      }
      report(error.code, error.message, leaf);
    }
  };

  return {
    faults,
    mentioned,
    async check(leaves) {
      const found = await read(leaves.map(({ value }) => value));
      leaves.forEach((leaf, i) => checkOne(leaf, found[i]));
    },
  };
};
