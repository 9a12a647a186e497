/** Fetches missing blobs without moving the head. */
import type { MissingBlob, Repo } from '../../core/repo/repo.ts';
import type { FetchedBlobs } from './fetch-blobs.ts';
import { fetchBlobs } from './fetch-blobs.ts';
import { hostAt } from './host.ts';
import { knownAccount } from './known-account.ts';
import type { PullOptions } from './pull.ts';

export interface FetchMissingBlobsOptions extends Omit<PullOptions, 'blobs' | 'meta' | 'rollback'> {
  /** Only these blobs. Default: all that records mention and that are not stored. */
  readonly cids?: readonly string[] | undefined;
  /**
   * The blobs to fetch, for example those of one record. They are not looked for then, which reads all records.
   * Default: `repo.missingBlobs()`.
   */
  readonly missing?: AsyncIterable<MissingBlob> | Iterable<MissingBlob> | undefined;
}

/**
 * Fetches blobs that records of the copy mention and that are not stored, four at a time. Each is compared with its
 * CID before it is stored. The head does not change. `pull` does the same after it has moved the head.
 *
 * @throws {RepoError} `StorageFull`, `StorageFailed`, `ReadOnly`; the errors of looking up the account. The error of
 *   one blob is in `failed`.
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/node';
 * import { fetchMissingBlobs, pull } from 'pdsdb/sync';
 *
 * await using repo = await openRepo('alice');
 * await pull(repo, { blobs: false });
 * const { fetched, failed } = await fetchMissingBlobs(repo);
 * console.log(fetched, failed.length);
 * ```
 */
export const fetchMissingBlobs = async (repo: Repo, options: FetchMissingBlobsOptions = {}): Promise<FetchedBlobs> => {
  const { signal, cids, missing, onProgress } = options;
  signal?.throwIfAborted();
  const report = (phase: 'blobs' | 'identity', blobs: number, bytes: number): void =>
    onProgress?.({ phase, blobs, bytes, blocks: 0, records: 0 });
  report('identity', 0, 0);
  const account = options.account ?? (await knownAccount(repo, options));
  return fetchBlobs(repo, hostAt(repo, account, options), {
    onBlob: ({ fetched, bytes }) => report('blobs', fetched, bytes),
    missing,
    ...(cids === undefined ? {} : { filter: ({ cid }) => cids.includes(cid.toString()) }),
  });
};
