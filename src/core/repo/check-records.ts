/** Records of a tree, one by one: are they there, are they what their CIDs say, do they keep to the data model. */
import { blobMentions, mayMentionBlob } from '../blob-ref.ts';
import type { CID } from '../cid.ts';
import { cidToText, decodeCid, isCidOf } from '../cid.ts';
import type { CidSet } from '../cid-set.ts';
import { createCidSet } from '../cid-set.ts';
import { isRepoError } from '../errors.ts';
import type { Leaf } from '../mst/walk.ts';
import type { Fault } from '../long-work.ts';
import type { BlockReader } from '../store.ts';
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
export const createRecordCheck = (blocks: BlockReader, hashed: { has(cid: Uint8Array): boolean }): RecordCheck => {
  const faults: Fault[] = [];
  const mentioned = createCidSet();
  const assertPath = createAssertPath();

  const checkOne = (path: string, cid: CID, bytes: Uint8Array<ArrayBuffer> | undefined): Fault | undefined => {
    if (bytes === undefined) {
      return { code: 'BlockNotFound', message: `the record's block is missing; path=${path} cid=${cidToText(cid)}`, path, cid };
    }
    if (!hashed.has(cid.bytes) && !isCidOf(cid, bytes)) {
      return { code: 'Corrupt', message: `the stored record is not the one that its CID names; path=${path} cid=${cidToText(cid)}`, path, cid };
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
      return undefined;
    } catch (error) {
      if (!isRepoError(error, 'Malformed')) {
        throw error;
      }
      return { code: error.code, message: error.message, path, cid };
    }
  };

  return {
    faults,
    mentioned,
    async check(leaves) {
      const cids = leaves.map(({ value }) => decodeCid(value));
      const found = await blocks.getMany(cids);
      for (const [i, { key }] of leaves.entries()) {
        const fault = checkOne(key, cids[i]!, found[i]);
        if (fault !== undefined) {
          faults.push(fault);
        }
      }
    },
  };
};
