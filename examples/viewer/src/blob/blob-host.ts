/** The host of an account, as a source of blobs. */
import type { Repo } from 'pdsdb';
import type { FetchMissingBlobsOptions, FetchedBlobs } from 'pdsdb/sync';
import { fetchMissingBlobs, storedAccount } from 'pdsdb/sync';
import { networkOptions } from '../account/hosts.ts';

export class BlobHost {
  readonly #repo: Repo;

  constructor(repo: Repo) {
    this.#repo = repo;
  }

  /** Whether the account was looked up before, so that asking its host tells nobody anything new. */
  async isKnown(): Promise<boolean> {
    return (await storedAccount(this.#repo)) !== undefined;
  }

  /** Downloads missing blobs. Each is stored at once. */
  fetch(options: Pick<FetchMissingBlobsOptions, 'missing' | 'onProgress' | 'signal'>): Promise<FetchedBlobs> {
    return fetchMissingBlobs(this.#repo, { ...networkOptions(), ...options });
  }
}
