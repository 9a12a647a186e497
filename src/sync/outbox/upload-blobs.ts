/** Uploads the blobs of pending records. A record that mentions a blob which the host does not have is refused. */
import { blobMentions } from '../../core/data/blob-ref.ts';
import type { BlobMention } from '../../core/data/blob-ref.ts';
import { decodeRecord } from '../../core/data/cbor-decode.ts';
import { CODEC_DAG_CBOR, cidOf, cidToText } from '../../core/data/cid.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { RecordValue } from '../../core/repo/tree.ts';
import { isTransient } from '../http/retry.ts';
import type { Session } from '../http/xrpc.ts';
import { callXrpc } from '../http/xrpc.ts';
import type { Entry } from './entry.ts';

const UPLOAD = 'com.atproto.repo.uploadBlob';

export interface UploadOptions {
  readonly session: Session;
  readonly signal?: AbortSignal | undefined;
  /** The CIDs of blobs that the host has. Uploaded ones are added. */
  readonly known: Set<string>;
}

/** Calls once more after a failure of the host. A rate limit ends the push instead. */
const repeatedOnce = async <T>(call: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    signal?.throwIfAborted();
    if (isTransient(error) && !isRepoError(error, 'RateLimitExceeded')) {
      return call();
    }
    throw error;
  }
};

/**
 * Uploads a blob, and compares the CID that the host returns.
 * @throws {RepoError} `Corrupt` when it is another one; the errors of the host.
 */
export const uploadBlob = async (
  blob: Blob,
  { cid, mimeType }: Pick<BlobMention, 'cid' | 'mimeType'>,
  options: Pick<UploadOptions, 'session' | 'signal'>,
): Promise<void> => {
  const { session, signal } = options;
  // The type of the record, because a stored blob may have none. A host compares the two.
  const type = mimeType === '' ? 'application/octet-stream' : mimeType;
  const response = (await repeatedOnce(() => callXrpc(session, UPLOAD, { input: blob, type, signal }), signal)) as
    | { readonly blob?: { readonly ref?: { readonly $link?: unknown } } }
    | undefined;
  const stored = response?.blob?.ref?.$link;
  if (stored !== cidToText(cid)) {
    throw new RepoError(
      'Corrupt',
      `the host stored another blob than was sent: check the connection to it; cid=${cidToText(cid)} stored=${String(stored).slice(0, 80)}`,
    );
  }
};

/**
 * Returns the CIDs of the blobs that the host has because its record mentions them. It keeps them as long as it has the
 * record, and the request fails if it has another one.
 */
export const blobsOfHost = async (repo: Repo, { path, base }: Entry): Promise<string[]> => {
  const bytes = base === null ? undefined : await repo.getBytes(path);
  if (bytes === undefined || cidToText(cidOf(CODEC_DAG_CBOR, bytes)) !== base) {
    return [];
  }
  try {
    return blobMentions(decodeRecord(bytes)).map(({ cid }) => cidToText(cid));
  } catch (error) {
    if (isRepoError(error, 'Malformed')) {
      return [];
    }
    throw error;
  }
};

/**
 * Uploads the blobs that records mention, in order, each once. A blob that is not stored here is left out, because the
 * host may have it.
 * @throws {RepoError} `Corrupt` when the host returns another CID, or a stored blob is damaged; the errors of the host.
 */
export const uploadBlobs = async (
  repo: Repo,
  records: readonly (RecordValue | undefined)[],
  options: UploadOptions,
): Promise<void> => {
  for (const mention of records.flatMap(blobMentions)) {
    const text = cidToText(mention.cid);
    if (options.known.has(text)) {
      continue;
    }
    const blob = await repo.getBlob(mention.cid);
    if (blob !== undefined) {
      await uploadBlob(blob, mention, options);
      options.known.add(text);
    }
  }
};
