/** Makes a copy of an account. */
import { RepoError } from '../../core/errors.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { Account } from '../identity/account.ts';
import { resolveAccount } from '../identity/account.ts';
import { storeAccount } from './known-account.ts';
import type { PullOptions, PullResult } from './pull.ts';
import { pull } from './pull.ts';

export type CloneOptions = Omit<PullOptions, 'account'>;

export interface CloneResult<R extends Repo = Repo> {
  readonly repo: R;
  readonly account: Account;
  readonly pulled: PullResult;
}

/**
 * Looks up an account, opens or creates a repository for it, and pulls it. If the repository has a part already, as
 * after an interruption, only the rest is fetched.
 *
 * @param identifier A handle, a DID, an `at://` URI, or an account that {@link resolveAccount} has returned.
 * @param create Returns the repository of the account, for example with `openOrCreateRepo`.
 * @returns The open repository. Its caller closes it. If the pull fails, it is closed, and can be cloned again.
 * @throws {RepoError} `WrongDid` when `create` returns the repository of another account; the errors of `create`, of
 *   {@link resolveAccount} and {@link pull}.
 * @example
 * ```ts
 * import { openOrCreateRepo } from 'pdsdb/node';
 * import { clone } from 'pdsdb/sync';
 *
 * const { repo, pulled } = await clone('alice.example.com', ({ did }) => openOrCreateRepo('alice', { did }));
 * console.log(pulled.status, pulled.created, pulled.blobs.fetched);
 * await repo.close();
 * ```
 */
export const clone = async <R extends Repo>(
  identifier: string | Account,
  create: (account: Account) => Promise<R>,
  options: CloneOptions = {},
): Promise<CloneResult<R>> => {
  options.onProgress?.({ phase: 'identity', bytes: 0, blocks: 0, records: 0, blobs: 0 });
  const account = typeof identifier === 'object' ? identifier : await resolveAccount(identifier, options);
  const repo = await create(account);
  try {
    if (repo.did !== account.did) {
      throw new RepoError(
        'WrongDid',
        `the repository is of another account: clone into another one; expected=${account.did} did=${repo.did}`,
      );
    }
    await storeAccount(repo, account, options);
    return { repo, account, pulled: await pull(repo, options) };
  } catch (error) {
    await repo.close();
    throw error;
  }
};
