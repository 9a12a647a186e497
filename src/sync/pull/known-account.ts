/** The account of a repository, looked up once a day and kept beside the repository. */
import { getPdsEndpoint } from '@atcute/identity';
import type { Repo } from '../../core/repo/repo.ts';
import { isTransient } from '../http/retry.ts';
import type { Account } from '../identity/account.ts';
import { hostOf, resolveAccount } from '../identity/account.ts';
import type { IdentityOptions } from '../identity/identity-options.ts';
import { storedJson } from './stored-json.ts';

/** The value in `Repo.meta`. */
const NAME = 'app:sync:account';
/** Milliseconds after which a stored account is looked up again. */
const MAX_AGE = 24 * 60 * 60 * 1000;

const isAccount = (value: unknown, did: string): value is Account => {
  const account = value as Partial<Record<keyof Account, unknown>> | null;
  return (
    typeof account === 'object' &&
    account !== null &&
    account.did === did &&
    typeof account.pds === 'string' &&
    typeof account.key === 'string' &&
    typeof account.fetchedAt === 'number'
  );
};

/**
 * Returns the account that `clone` or the last lookup of a `pull` has stored beside a repository, or `undefined`. It
 * makes no request, so the account may have another host or key by now.
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/node';
 * import { storedAccount } from 'pdsdb/sync';
 *
 * await using repo = await openRepo('alice', { readOnly: true });
 * const account = await storedAccount(repo);
 * console.log((await repo.verify({ key: account?.key })).signature);
 * ```
 */
export const storedAccount = async (repo: Repo): Promise<Account | undefined> => {
  const account = await storedJson(repo, NAME);
  return isAccount(account, repo.did) ? account : undefined;
};

/** Returns an account with the host `pdsUrl`, if it is given. */
export const withHost = (account: Account, { pdsUrl }: Pick<IdentityOptions, 'pdsUrl'>): Account =>
  pdsUrl === undefined ? account : { ...account, pds: new URL(pdsUrl).origin };

/** Stores an account, with the host of its document. */
export const storeAccount = async (repo: Repo, account: Account, options: IdentityOptions): Promise<void> => {
  const { allowPrivate } = options;
  const pds =
    getPdsEndpoint(account.doc) === undefined ? account.pds : hostOf(account.did, account.doc, { allowPrivate });
  await repo.meta.set(NAME, JSON.stringify({ ...account, pds }));
};

/** Looks the account up and stores it. */
export const refreshAccount = async (repo: Repo, options: IdentityOptions): Promise<Account> => {
  const account = await resolveAccount(repo.did, options);
  await storeAccount(repo, account, options);
  return account;
};

/**
 * Returns the account of a repository. `pdsUrl` replaces its host. If the account cannot be looked up now, an older
 * one is returned.
 */
export const knownAccount = async (repo: Repo, options: IdentityOptions): Promise<Account> => {
  const stored = await storedAccount(repo);
  const age = Date.now() - (stored?.fetchedAt ?? 0);
  if (stored !== undefined && age >= 0 && age <= MAX_AGE) {
    return withHost(stored, options);
  }
  try {
    return await refreshAccount(repo, options);
  } catch (error) {
    if (stored === undefined || !isTransient(error)) {
      throw error;
    }
    return withHost(stored, options);
  }
};
