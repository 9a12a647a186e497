/** The mentions of blobs in stored records. */
import type { BlobMention } from '../../data/blob-ref.ts';
import { blobMentions, mayMentionBlob } from '../../data/blob-ref.ts';
import type { CID } from '../../data/cid.ts';
import { decodeCid } from '../../data/cid.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { isRepoError } from '../../errors.ts';
import type { Leaf } from '../../mst/node.ts';
import { walkLeaves } from '../../mst/walk.ts';
import type { BlockReader } from '../../storage/ports.ts';
import type { ReadParts } from '../open-parts.ts';
import { decodeStored } from '../record.ts';
import { recordMissing } from './record-bytes.ts';

/** A blob that a record mentions, with the record's key. */
export interface PathMention extends BlobMention {
  readonly path: string;
}

/**
 * Returns the mentions in one stored record. Returns none if its bytes break the data model, which `verify` reports.
 */
export const mentionsOf = (path: string, cid: CID, bytes: Uint8Array<ArrayBuffer>): readonly BlobMention[] => {
  // Decoding every record took most of the time.
  if (!mayMentionBlob(bytes)) {
    return [];
  }
  try {
    return blobMentions(decodeStored(path, cid, bytes));
  } catch (error) {
    if (isRepoError(error, 'Malformed')) {
      return [];
    }
    throw error;
  }
};

/** The blobs that a record mentions. */
export interface RecordMentions {
  readonly path: string;
  /** One per blob: the first one. */
  readonly mentions: readonly BlobMention[];
}

const firstMentions = (mentions: readonly BlobMention[]): readonly BlobMention[] => {
  if (mentions.length < 2) {
    return mentions;
  }
  const seen = createCidSet();
  return mentions.filter(({ cid }) => seen.add(cid.bytes));
};

/**
 * Returns the records that mention blobs, in their order. Reads them with one request.
 * @throws {RepoError} `BlockNotFound` if a record is missing.
 */
export const mentionsIn = async (
  blocks: Pick<BlockReader, 'getMany'>,
  leaves: readonly Leaf[],
): Promise<RecordMentions[]> => {
  const found = leaves.length === 0 ? [] : await blocks.getMany(leaves.map(({ value }) => value));
  return leaves.flatMap(({ key: path, value }, i) => {
    const cid = decodeCid(value);
    const bytes = found[i];
    if (bytes === undefined) {
      throw recordMissing(path, cid);
    }
    const mentions = firstMentions(mentionsOf(path, cid, bytes));
    return mentions.length === 0 ? [] : [{ path, mentions }];
  });
};

export function* pathMentions({ path, mentions }: RecordMentions): Generator<PathMention> {
  for (const mention of mentions) {
    yield { ...mention, path };
  }
}

/** Yields the mentions of blobs in a tree, in key order. Skips records that break the data model. */
export async function* mentionedBlobs(parts: ReadParts, root: CID): AsyncGenerator<PathMention> {
  for await (const leaves of walkLeaves(parts.nodes, root)) {
    for (const record of await mentionsIn(parts.store, leaves)) {
      yield* pathMentions(record);
    }
  }
}
