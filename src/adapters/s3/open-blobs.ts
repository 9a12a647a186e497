/** Opens the blobs of one repository, or of many, in a bucket. */
import { RepoError } from '../../core/errors.ts';
import { assertDid } from '../../core/syntax/identifiers.ts';
import type { S3BlobStore } from './blob-store.ts';
import { createS3BlobStore } from './blob-store.ts';
import { S3Client } from './client.ts';
import { listObjects } from './listing.ts';
import type { S3Options } from './options.ts';
import { s3Place } from './options.ts';

/** The folder of uploads that are not complete, below the prefix. No CID and no DID has this name. */
const TEMPORARY = 'tmp/';

const clientOf = (options: S3Options): S3Client => {
  const place = s3Place(options);
  // `crypto` has no `subtle` in a page that is not a secure context.
  if ((globalThis.crypto as Crypto | undefined)?.subtle === undefined) {
    throw new RepoError('Unsupported', 'requests to S3 are signed with crypto.subtle: open the page with https');
  }
  return new S3Client(place);
};

/**
 * Opens the blobs of one repository in a bucket. The key of a blob is `prefix` and its CID. One request checks the
 * bucket and the keys.
 *
 * @example
 * ```ts
 * import { openS3Blobs } from 'pdsdb/s3';
 *
 * await using blobs = await openS3Blobs({
 *   endpoint: 'https://s3.eu-central-1.amazonaws.com',
 *   region: 'eu-central-1',
 *   bucket: 'my-blobs',
 *   prefix: 'alice/',
 *   accessKeyId: '…',
 *   secretAccessKey: '…',
 * });
 * const { cid, size } = await blobs.put(new Blob(['hello']));
 * console.log(String(cid), size, await (await blobs.get(cid))?.text());
 * ```
 * @throws {RepoError} `StorageFailed` if the server refuses the keys, or the bucket is missing; `Unsupported`.
 * @throws {TypeError} if an option is not valid.
 */
export const openS3Blobs = async (options: S3Options): Promise<S3BlobStore> => {
  const client = clientOf(options);
  const { prefix } = client.place;
  // Without the right to list, S3 reports a missing blob as forbidden.
  await listObjects(client, { prefix, limit: 1, doing: 'opening the blobs' });
  return createS3BlobStore(client, { prefix, temporaryPrefix: `${prefix}${TEMPORARY}` });
};

/**
 * Returns a function that returns the blobs of an account, for a server with many accounts. The key of a blob is
 * `prefix`, the DID, a slash and its CID. Sends no request.
 * @throws {RepoError} `Unsupported`. The function throws `InvalidDid`.
 * @throws {TypeError} if an option is not valid.
 */
export const s3Blobs = (options: S3Options): ((did: string) => S3BlobStore) => {
  const client = clientOf(options);
  const { prefix } = client.place;
  return (did) => {
    assertDid(did);
    return createS3BlobStore(client, { prefix: `${prefix}${did}/`, temporaryPrefix: `${prefix}${TEMPORARY}` });
  };
};
