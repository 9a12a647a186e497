/** Blobs: stores them with a MIME type, checks their hashes, and compares them with the records. */
import { byteStream, forEachChunk } from '../../data/streams.ts';
import type { BlobRef } from '../../data/blob-ref.ts';
import { blobReader } from '../../data/blob-reader.ts';
import { equalBytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';
import { cidToText } from '../../data/cid.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { RepoError } from '../../errors.ts';
import type { Head, MissingBlob, PutBlobRefOptions, StoredBlob } from '../repo.ts';
import type { CreateHash } from '../../data/sha256.ts';
import { toStorageError } from '../../storage/storage-error.ts';
import { readBlobSource } from '../../storage/blob-source.ts';
import type { BlobSource, PutBlobOptions } from '../../storage/ports.ts';
import type { RepoParts } from '../open-parts.ts';
import { mimeTypeKey } from '../store-names.ts';
import { headMentions } from './head-mentions.ts';
import { listHead } from './head-view.ts';
import { isBlob } from '../../data/platform-values.ts';

const DEFAULT_MIME_TYPE = 'application/octet-stream';

/**
 * Yields the bytes of a source. Throws at its end, before a store keeps them, if they are another blob. The store
 * listens to the signal; when it stops reading, the source ends too.
 */
async function* expectedBlob(
  source: BlobSource,
  expect: CID,
  createHash: CreateHash,
  options: PutBlobOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash();
  for await (const chunk of readBlobSource(source, options)) {
    hash.update(chunk);
    yield chunk;
  }
  if (!equalBytes(hash.digest(), expect.multihash.digest)) {
    throw new RepoError('Malformed', `the bytes are another blob: fetch it again; expected=${cidToText(expect)}`);
  }
}

/** `Repo.putBlob`. The bytes are durable before the MIME type is stored. */
export const putBlob = async (
  parts: RepoParts,
  source: BlobSource,
  options: PutBlobRefOptions = {},
): Promise<BlobRef> => {
  const { expect, ...storing } = options;
  const given = options.mimeType ?? (isBlob(source) && source.type !== '' ? source.type : undefined);
  const { cid, size } = await parts.blobs.put(
    expect === undefined
      ? source
      : byteStream(expectedBlob(source, expect, parts.createHash, { maxSize: storing.maxSize })),
    storing,
  );
  parts.storedBlobs.set(cidToText(cid), Date.now());
  if (given !== undefined) {
    await parts.store.transact((change) => change.setMeta(mimeTypeKey(cid), given));
  }
  const mimeType = given ?? (await parts.store.meta(mimeTypeKey(cid))) ?? DEFAULT_MIME_TYPE;
  return { $type: 'blob', ref: cid, mimeType, size };
};

/**
 * Returns whether a blob's bytes match its CID. Reads all of them, chunk by chunk.
 * @throws {RepoError} `StorageFailed` when the file behind the blob cannot be read or has changed.
 */
export const isBlobIntact = async (
  { createHash }: Pick<RepoParts, 'createHash'>,
  cid: CID,
  blob: Blob,
): Promise<boolean> => {
  const hash = createHash();
  try {
    await forEachChunk(blobReader(blob), (chunk) => {
      hash.update(chunk);
    });
  } catch (error) {
    throw toStorageError(error, `reading the blob ${cidToText(cid)}`);
  }
  return equalBytes(hash.digest(), cid.multihash.digest);
};

/** `Repo.getBlob`. */
export const getBlob = async (parts: RepoParts, cid: CID): Promise<Blob | undefined> => {
  const blob = await parts.blobs.get(cid);
  if (blob === undefined) {
    return undefined;
  }
  if (!(await isBlobIntact(parts, cid, blob))) {
    throw new RepoError(
      'Corrupt',
      `the stored blob does not match its CID: run repair, then store the blob again; cid=${cidToText(cid)}`,
    );
  }
  const type = await parts.store.meta(mimeTypeKey(cid));
  return type === undefined ? blob : blob.slice(0, blob.size, type);
};

/** `Repo.blobs`. */
export async function* listBlobs(parts: RepoParts): AsyncGenerator<StoredBlob> {
  for await (const info of parts.blobs.list()) {
    yield { ...info, mimeType: await parts.store.meta(mimeTypeKey(info.cid)) };
  }
}

/** `Repo.missingBlobs`. One entry per blob, at its first mention. */
export const missingBlobs = (parts: RepoParts): AsyncGenerator<MissingBlob> =>
  listHead(parts, (_, head) => missingFrom(parts, head));

async function* missingFrom(parts: RepoParts, head: Head | undefined): AsyncGenerator<MissingBlob> {
  if (head === undefined) {
    return;
  }
  const seen = createCidSet();
  for await (const { cid } of parts.blobs.list()) {
    seen.add(cid.bytes);
  }
  for await (const { path, ...mention } of headMentions(parts, head.data)) {
    if (seen.add(mention.cid.bytes)) {
      yield { ...mention, uri: `at://${parts.did}/${path}` };
    }
  }
}
