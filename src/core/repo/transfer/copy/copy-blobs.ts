/** Copies blobs with their hashes checked. A blob that the target has is not copied again. */
import { equalBytes } from '../../../data/bytes.ts';
import type { CID } from '../../../data/cid.ts';
import { cidEquals, cidToText, decodeCid } from '../../../data/cid.ts';
import type { CidSet } from '../../../data/cid-set.ts';
import type { CreateHash } from '../../../data/sha256.ts';
import { byteStream } from '../../../data/streams.ts';
import { RepoError } from '../../../errors.ts';
import { readBlobSource } from '../../../storage/blob-source.ts';
import type { RepoParts } from '../../open-parts.ts';
import { isBlobIntact } from '../../read/blobs.ts';

export interface CopyBlobsOptions {
  readonly signal: AbortSignal | undefined;
  onBytes(length: number): void;
}

const damaged = (cid: CID): RepoError =>
  new RepoError(
    'Corrupt',
    `a stored blob of the source does not match its CID: repair the source, then copy again; cid=${cidToText(cid)}`,
  );

/** Yields the bytes of a blob. Throws at its end, before a store keeps them, if they do not match the CID. */
async function* checkedBlob(
  cid: CID,
  blob: Blob,
  createHash: CreateHash,
  { signal, onBytes }: CopyBlobsOptions,
): AsyncGenerator<Uint8Array> {
  const hash = createHash();
  for await (const chunk of readBlobSource(blob, { signal })) {
    hash.update(chunk);
    onBytes(chunk.length);
    yield chunk;
  }
  if (!equalBytes(hash.digest(), cid.multihash.digest)) {
    throw damaged(cid);
  }
}

const hasBlob = async (to: RepoParts, cid: CID, size: number): Promise<boolean> => {
  const stored = await to.blobs.get(cid);
  return stored?.size === size && (await isBlobIntact(to, cid, stored));
};

const copyBlob = async (from: RepoParts, to: RepoParts, cid: CID, options: CopyBlobsOptions): Promise<void> => {
  const blob = await from.blobs.get(cid);
  if (blob === undefined) {
    throw new RepoError('BlobNotFound', `a blob was removed during the copy: copy again; cid=${cidToText(cid)}`);
  }
  if (await hasBlob(to, cid, blob.size)) {
    return;
  }
  const { signal } = options;
  const stored = await to.blobs.put(byteStream(checkedBlob(cid, blob, from.createHash, options)), { signal });
  if (!cidEquals(stored.cid, cid)) {
    throw damaged(cid);
  }
};

/** @throws {RepoError} `BlobNotFound`, `Corrupt`; the errors of both stores. */
export const copyBlobs = async (
  from: RepoParts,
  to: RepoParts,
  blobs: CidSet,
  options: CopyBlobsOptions,
): Promise<void> => {
  for (const bytes of blobs) {
    options.signal?.throwIfAborted();
    const cid = decodeCid(bytes.slice());
    await copyBlob(from, to, cid, options);
    // A garbage collection of the target spares young blobs. No commit mentions this one yet.
    to.storedBlobs.set(cidToText(cid), Date.now());
    await from.yieldToEvents();
  }
};
