/** Finds an account of the network, and copies it into this browser if it is not there. */
import { RepoError, isRepoError } from 'pdsdb';
import type { Repo } from 'pdsdb';
import type { Account, PullProgress, PullResult } from 'pdsdb/sync';
import { clone, resolveAccount } from 'pdsdb/sync';
import { readAbout } from './about.ts';
import { networkOptions } from './hosts.ts';
import { openOrCreate } from '../import/import-car.ts';
import { deleteKept, keptNames, openKept } from '../repos.ts';
import { noteEnded, whileItComesIn } from '../import/temporary-repos.ts';

export interface OpenedAccount {
  readonly did: string;
  /** The result of the copy, or `undefined` if the account was here already. */
  readonly pulled?: PullResult | undefined;
}

export interface OpenAccountOptions {
  readonly signal: AbortSignal;
  readonly onAccount: (account: Account) => void;
  readonly onProgress: (progress: PullProgress) => void;
}

/** Whether there is a copy with records. */
const isKept = async (did: string): Promise<boolean> => {
  if (!(await keptNames()).includes(did)) {
    return false;
  }
  const repo = await openKept(did);
  const head = await repo.head();
  await repo.close();
  return head !== undefined;
};

/** Returns the DID of a copy whose account had this handle when it was looked up last. */
const keptAs = async (handle: string): Promise<string | undefined> =>
  (await keptNames()).find((did) => readAbout(did)?.handle === handle.toLowerCase());

const find = async (name: string, signal: AbortSignal): Promise<Account | string> => {
  try {
    return await resolveAccount(name, { ...networkOptions(), signal });
  } catch (error) {
    const did = isRepoError(error, 'HostUnreachable') ? await keptAs(name) : undefined;
    if (did === undefined) {
      throw error;
    }
    return did;
  }
};

const cloneInto = async (account: Account, { signal, onProgress }: OpenAccountOptions): Promise<PullResult> => {
  const { did } = account;
  let isNew = false;
  let pulled: PullResult | undefined;
  const create = async (): Promise<Repo> => {
    const opened = await openOrCreate(did);
    isNew = opened.isNew;
    return opened.repo;
  };
  try {
    // The blobs of a record are fetched when it is viewed.
    const cloned = await clone(account, create, { ...networkOptions(), signal, onProgress, blobs: false });
    await cloned.repo.close();
    if (cloned.pulled.to === undefined) {
      throw new RepoError(
        cloned.pulled.reason ?? 'InvalidSignature',
        `the host does not serve this account: ${cloned.pulled.status}; did=${did} host=${account.pds}`,
      );
    }
    pulled = cloned.pulled;
    return pulled;
  } finally {
    // An empty repository would look like an account without records.
    if (pulled === undefined && isNew) {
      await deleteKept(did);
    }
    noteEnded(did);
  }
};

/**
 * Returns the account of a handle or DID. If there is no copy of it, makes one, which is verified with the key of its
 * DID document. A copy that ends early leaves nothing, and can be made again.
 */
export const openAccount = async (name: string, options: OpenAccountOptions): Promise<OpenedAccount> => {
  const { signal } = options;
  if (name.startsWith('did:') && (await isKept(name))) {
    return { did: name };
  }
  const account = await find(name, signal);
  if (typeof account === 'string') {
    return { did: account };
  }
  options.onAccount(account);
  const { did } = account;
  return whileItComesIn(
    did,
    async () => ((await isKept(did)) ? { did } : { did, pulled: await cloneInto(account, options) }),
    signal,
  );
};
