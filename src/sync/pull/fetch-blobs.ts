/** Fetches the blobs that records mention and that are not stored. */
import type { CID } from '../../core/data/cid.ts';
import type { RepoErrorCode } from '../../core/errors.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { MissingBlob, Repo } from '../../core/repo/repo.ts';
import { openXrpc } from '../http/xrpc.ts';
import type { Host } from './host.ts';
import { retrying } from './host.ts';

/** Blobs that are fetched at the same time. */
const AT_ONCE = 4;
/** Most bytes of a blob. Hosts accept 5 to 100 MB. */
export const MAX_FETCHED_BLOB: number = 512 * 1024 * 1024;

/** Errors that end the whole run, because they are not of one blob. */
const OF_THE_COPY: readonly RepoErrorCode[] = [
  'Closed',
  'Corrupt',
  'Locked',
  'OutcomeUnknown',
  'ReadOnly',
  'StorageFailed',
  'StorageFull',
];

/** A blob that was not fetched. */
export interface FailedBlob {
  readonly cid: CID;
  /** A record that mentions it. */
  readonly uri: string;
  readonly error: RepoError;
}

export interface FetchedBlobs {
  readonly fetched: number;
  /** Bytes of the fetched blobs. */
  readonly bytes: number;
  readonly failed: readonly FailedBlob[];
  /** Set if the host stopped to respond, and other missing blobs were not asked for: the last error. */
  readonly stopped?: RepoError | undefined;
}

export interface FetchBlobsOptions {
  /** Called after each blob. */
  readonly onBlob?: ((blobs: { readonly fetched: number; readonly bytes: number }) => void) | undefined;
  /** The blobs to fetch. Default: all that records mention and that are not stored. */
  readonly missing?: AsyncIterable<MissingBlob> | Iterable<MissingBlob> | undefined;
  /** Only blobs for which it returns `true`. */
  readonly filter?: ((blob: MissingBlob) => boolean) | undefined;
}

const fetchBlob = async (repo: Repo, host: Host, { cid, mimeType }: MissingBlob): Promise<number> => {
  const { did, session, signal } = host;
  const params = { did, cid: cid.toString() };
  const response = await openXrpc(session, 'com.atproto.sync.getBlob', { params, signal });
  try {
    const { size } = await repo.putBlob(response.body ?? new Uint8Array(), {
      expect: cid,
      mimeType,
      maxSize: MAX_FETCHED_BLOB,
      ...(signal === undefined ? {} : { signal }),
    });
    return size;
  } catch (error) {
    throw isRepoError(error, 'Malformed')
      ? new RepoError('HostFailed', `the host sent another blob: try again later; cid=${cid}`, { cause: error })
      : error;
  }
};

/**
 * Fetches missing blobs, four at a time. Each is checked and durable before it counts, so a run that ends early is
 * continued by the next one. The type of a blob is that of its record. The error of one blob does not end the others,
 * but a host that does not respond does.
 * @throws {RepoError} `StorageFull`, `StorageFailed`, `ReadOnly`, `Closed`.
 */
export const fetchBlobs = async (repo: Repo, host: Host, options: FetchBlobsOptions = {}): Promise<FetchedBlobs> => {
  const { signal } = host;
  const failed: FailedBlob[] = [];
  const running = new Set<Promise<void>>();
  let [fetched, bytes] = [0, 0];
  let stopped: RepoError | undefined;
  let fatal: unknown;
  const fetchOne = async (blob: MissingBlob): Promise<void> => {
    try {
      bytes += await retrying(host, () => fetchBlob(repo, host, blob));
      fetched += 1;
      options.onBlob?.({ fetched, bytes });
    } catch (error) {
      if (isRepoError(error) && !OF_THE_COPY.includes(error.code)) {
        failed.push({ cid: blob.cid, uri: blob.uri, error });
        if (error.code === 'HostUnreachable' || error.code === 'RateLimitExceeded') {
          stopped = error;
        }
      } else {
        fatal ??= error;
      }
    }
  };
  for await (const blob of options.missing ?? repo.missingBlobs()) {
    if (options.filter?.(blob) === false) {
      continue;
    }
    const run = fetchOne(blob).finally(() => running.delete(run));
    running.add(run);
    if (running.size >= AT_ONCE) {
      await Promise.race(running);
    }
    if (stopped !== undefined || fatal !== undefined || signal?.aborted === true) {
      break;
    }
  }
  await Promise.all(running);
  signal?.throwIfAborted();
  if (fatal !== undefined) {
    throw fatal;
  }
  return { fetched, bytes, failed, ...(stopped === undefined ? {} : { stopped }) };
};
