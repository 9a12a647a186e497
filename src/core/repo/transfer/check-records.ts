/** Checks each record of a tree: it is present, its bytes match its CID, and it conforms to the data model. */
import { blobMentions, mayMentionBlob } from '../../data/blob-ref.ts';
import { CODEC_DAG_CBOR, cidBytesToText, decodeCid, isDigestOf } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { isRepoError } from '../../errors.ts';
import { beginsAsNode } from '../../mst/codec.ts';
import type { Leaf } from '../../mst/walk.ts';
import type { Fault } from '../../data/fault.ts';
import type { ReadBlocks } from '../../mst/verify.ts';
import { checkRecord } from '../../data/record-check.ts';
import { sha256 } from '../../data/sha256.ts';
import { createAssertPath } from '../path.ts';
import { checkStored, decodeStored } from '../record.ts';

/** Checks records in batches. */
export interface RecordCheck {
  /** All blobs mentioned so far. */
  readonly mentioned: CidSet;
  /** Checks the records of leaves. Reads their blocks with one request. */
  check(leaves: readonly Leaf[]): Promise<void>;
}

/** Returns whether bytes are a valid record that mentions no blob, which needs no further check. */
export const isPlainRecord = (bytes: Uint8Array): boolean => {
  // Throwing an error for each node of the tree took longer than checking all records.
  if (beginsAsNode(bytes)) {
    return false;
  }
  try {
    checkRecord(bytes);
    return !mayMentionBlob(bytes);
  } catch (error) {
    if (!isRepoError(error, 'Malformed')) {
      throw error;
    }
    return false;
  }
};

/** Facts about blocks before they are read. */
export interface KnownBlocks {
  /** Returns whether the block was already hashed in this operation. */
  has(cid: Uint8Array): boolean;
  /** Returns whether {@link isPlainRecord} was true for the block. Then it is not read again. */
  isPlain?(cid: Uint8Array): boolean;
}

/**
 * @param onFault Called for each fault. Codes: `BlockNotFound`, `Corrupt`, or `Malformed` for a record that breaks the
 *   data model.
 */
export const createRecordCheck = (
  read: ReadBlocks,
  known: KnownBlocks,
  onFault: (fault: Fault) => void,
): RecordCheck => {
  const mentioned = createCidSet();
  const assertPath = createAssertPath();

  const report = (code: Fault['code'], message: string, { key: path, value }: Leaf): void => {
    onFault({ code, message, path, cid: decodeCid(value) });
  };

  const reporting = (leaf: Leaf, check: () => void): void => {
    try {
      check();
    } catch (error) {
      if (!isRepoError(error, 'Malformed')) {
        throw error;
      }
      report(error.code, error.message, leaf);
    }
  };

  const checkOne = (leaf: Leaf, bytes: Uint8Array | undefined): void => {
    const { key: path, value: cid } = leaf;
    if (bytes === undefined) {
      report(
        'BlockNotFound',
        `the record's block is missing: use a CAR that has it; path=${path} cid=${cidBytesToText(cid)}`,
        leaf,
      );
      return;
    }
    if (!known.has(cid) && !isDigestOf(cid, sha256(bytes), 0)) {
      report(
        'Corrupt',
        `the stored record does not match its CID: run repair, then import a CAR; path=${path} cid=${cidBytesToText(cid)}`,
        leaf,
      );
      return;
    }
    reporting(leaf, () => {
      assertPath(path);
      if (mayMentionBlob(bytes)) {
        for (const mention of blobMentions(decodeStored(path, cid, bytes))) {
          mentioned.add(mention.cid.bytes);
        }
      } else {
        checkStored(path, cid, bytes);
      }
    });
  };

  /** Checks only the path of a plain record. Returns `false` for a record that must be read. */
  const isDone = (leaf: Leaf): boolean => {
    // A raw CID is a fault, even if the bytes are valid.
    const isPlain = leaf.value[1] === CODEC_DAG_CBOR && known.isPlain?.(leaf.value) === true;
    if (isPlain) {
      reporting(leaf, () => assertPath(leaf.key));
    }
    return isPlain;
  };

  return {
    mentioned,
    async check(leaves) {
      const unsure = leaves.filter((leaf) => !isDone(leaf));
      const found = await read(unsure.map(({ value }) => value));
      unsure.forEach((leaf, i) => checkOne(leaf, found[i]));
    },
  };
};
