/** Compares a copy with its host, and changes nothing. */
import type { RepoErrorCode } from '../../core/errors.ts';
import { isRepoError } from '../../core/errors.ts';
import type { Head } from '../../core/repo/commits.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { withRetries } from '../http/retry.ts';
import type { Session } from '../http/xrpc.ts';
import type { Account } from '../identity/account.ts';
import { resolveAccount } from '../identity/account.ts';
import type { IdentityOptions } from '../identity/identity-options.ts';
import { BRANCH } from '../outbox/entry.ts';
import { hostAt } from './host.ts';
import { storedAccount, withHost } from './known-account.ts';
import type { HostHead } from './latest-commit.ts';
import { isInactive, latestCommit, mayHaveMoved } from './latest-commit.ts';

export interface StatusOptions extends IdentityOptions {
  /** The account of the repository, if it is known. Default: the stored one, or looked up. */
  readonly account?: Account | undefined;
  /** How the host is called. The host of a deactivated account needs its owner's session. Default: without one. */
  readonly session?: Session | undefined;
  /** The repository as the commands of `todo` name it. Default: `<repo>`. */
  readonly name?: string | undefined;
}

/** What the copy has. */
export interface LocalStatus {
  readonly head: string | undefined;
  readonly rev: string | undefined;
  /** Records at the head. */
  readonly records: number;
  /** Stored blobs. */
  readonly blobs: number;
  /** Blobs that records mention and that are not stored. */
  readonly missingBlobs: number;
  /** Refs `local-…`, which keep local work that the host did not have. */
  readonly kept: readonly string[];
  /** Paths that the branch `outbox` changes. */
  readonly pending: number;
}

/**
 * The head of the host, compared with the copy.
 *
 * - `current`: both have the same head.
 * - `ahead`: the host has newer commits.
 * - `behind`: the host's head is older. It has gone back, or the copy has commits of its own.
 * - `forked`: the host has another commit with the same rev, or the copy's head is not signed.
 * - `inactive`: the account is deactivated, suspended or taken down, see `reason`.
 * - `unreachable`: there is no connection to the host, see `error`.
 * - `unknown`: the host or the lookup of the account has failed, see `error`.
 */
export type HostState = 'ahead' | 'behind' | 'current' | 'forked' | 'inactive' | 'unknown' | 'unreachable';

export interface HostStatus {
  readonly state: HostState;
  readonly head?: string | undefined;
  readonly rev?: string | undefined;
  /** Of `inactive`: `RepoDeactivated`, `RepoSuspended` or `RepoTakendown`. */
  readonly reason?: RepoErrorCode | undefined;
  /** Of `unreachable` and `unknown`. */
  readonly error?: { readonly code: RepoErrorCode; readonly message: string } | undefined;
}

export interface CopyStatus {
  readonly did: string;
  /** The handle of the account's document. `undefined` if it has none, or if the account is not known yet. */
  readonly handle: string | undefined;
  /** The origin of the host, or `undefined` if the account is not known yet. */
  readonly pds: string | undefined;
  readonly local: LocalStatus;
  readonly host: HostStatus;
  /** What is not in order, each with the command that fixes it. */
  readonly todo: readonly { readonly problem: string; readonly command: string }[];
}

/** The second attempt is for a connection that the host has closed. A longer wait is no use to a person. */
const RETRIES = { attempts: 2 };

const countOf = async (items: AsyncIterable<unknown>): Promise<number> => {
  let count = 0;
  for await (const _ of items) {
    count += 1;
  }
  return count;
};

const localStatus = async (repo: Repo, head: Head | undefined): Promise<LocalStatus> => {
  const { records, blobs } = await repo.info();
  const refs = await repo.refs();
  return {
    head: head?.cid.toString(),
    rev: head?.rev,
    records,
    blobs,
    missingBlobs: await countOf(repo.missingBlobs()),
    kept: [...refs.keys()].filter((name) => name.startsWith('local-')),
    pending: refs.has(BRANCH) ? await countOf(repo.branch(BRANCH).diff()) : 0,
  };
};

const compare = (head: Head | undefined, { cid, rev }: HostHead): HostState => {
  if (head === undefined) {
    return 'ahead';
  }
  if (head.cid.toString() === cid) {
    return 'current';
  }
  if (!head.signed || head.rev === rev) {
    return 'forked';
  }
  return rev > head.rev ? 'ahead' : 'behind';
};

const failed = (error: unknown): HostStatus => {
  if (!isRepoError(error)) {
    throw error;
  }
  const { code, message } = error;
  return isInactive(error)
    ? { state: 'inactive', reason: code }
    : { state: code === 'HostUnreachable' ? 'unreachable' : 'unknown', error: { code, message } };
};

/** The account, and the host's head. */
interface Found {
  readonly account: Account | undefined;
  readonly host: HostStatus;
}

const askHost = async (
  repo: Repo,
  head: Head | undefined,
  account: Account,
  options: StatusOptions,
): Promise<HostStatus> => {
  const host = hostAt(repo, account, options);
  const latest = await withRetries(() => latestCommit(host), { ...RETRIES, signal: host.signal });
  return { state: compare(head, latest), head: latest.cid, rev: latest.rev };
};

const findHost = async (repo: Repo, head: Head | undefined, options: StatusOptions): Promise<Found> => {
  const { signal } = options;
  const stored = options.account === undefined ? await storedAccount(repo) : undefined;
  const known = options.account ?? (stored && withHost(stored, options));
  let first: unknown;
  if (known !== undefined) {
    try {
      return { account: known, host: await askHost(repo, head, known, options) };
    } catch (error) {
      signal?.throwIfAborted();
      if (options.account !== undefined || !mayHaveMoved(error)) {
        return { account: known, host: failed(error) };
      }
      first = error;
    }
  }
  try {
    const account = await resolveAccount(repo.did, options);
    return { account, host: await askHost(repo, head, account, options) };
  } catch (error) {
    signal?.throwIfAborted();
    return { account: known, host: failed(isInactive(first) ? first : error) };
  }
};

const WORDS: Partial<Record<RepoErrorCode, string>> = {
  RepoDeactivated: 'deactivated',
  RepoSuspended: 'suspended',
  RepoTakendown: 'taken down',
};

/** What the state of the host asks for. */
const hostTodo = (name: string, head: Head | undefined, { state, rev, reason, error }: HostStatus) => {
  const pull = `pdsdb pull ${name}`;
  switch (state) {
    case 'current':
      return [];
    case 'ahead':
      return [{ problem: head === undefined ? 'the copy is empty' : 'the host has newer commits', command: pull }];
    case 'behind':
      return [
        {
          problem: 'the host has an older head: it has gone back, or the copy has commits of its own',
          command: `${pull} --rollback`,
        },
      ];
    case 'forked': {
      const isNewer = head !== undefined && rev !== undefined && rev > head.rev;
      const command = isNewer ? pull : `${pull} --rollback`;
      return [{ problem: "the copy's head is a commit that the host does not have", command }];
    }
    case 'inactive':
      return [
        {
          problem: `the account is ${WORDS[reason!]} at its host, so the copy may be the only one`,
          command: `pdsdb backup ${name} <target>`,
        },
      ];
    default:
      return [{ problem: `the host's head is not known: ${error?.message}`, command: `pdsdb status ${name}` }];
  }
};

/**
 * Compares a copy with its host: what is local, what the host has, what is pending, and what is missing. It changes
 * nothing, so the repository can be open for reading only. It makes one request to the host, and looks the account up
 * if it is not stored, or not found there. If the host cannot be reached, the result says so.
 *
 * @throws {RepoError} The errors of reading the repository, such as `Corrupt`. The reason of the signal.
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/node';
 * import { status } from 'pdsdb/sync';
 *
 * await using repo = await openRepo('alice', { readOnly: true });
 * const { local, host, todo } = await status(repo, { name: 'alice' });
 * console.log(host.state, local.missingBlobs, todo.map(({ command }) => command));
 * ```
 */
export const status = async (repo: Repo, options: StatusOptions = {}): Promise<CopyStatus> => {
  const { name = '<repo>', signal } = options;
  signal?.throwIfAborted();
  const head = await repo.head();
  const local = await localStatus(repo, head);
  const { account, host } = await findHost(repo, head, options);
  const todo = [...hostTodo(name, head, host)];
  if (local.missingBlobs > 0) {
    const problem = local.missingBlobs === 1 ? '1 blob is missing' : `${local.missingBlobs} blobs are missing`;
    todo.push({ problem, command: `pdsdb blob fetch ${name}` });
  }
  if (local.pending > 0) {
    const changes = local.pending === 1 ? '1 change in the outbox has' : `${local.pending} changes in the outbox have`;
    const problem = `${changes} not been sent to the host`;
    todo.push({ problem, command: `pdsdb push ${name}` });
  }
  for (const ref of local.kept) {
    const problem = `the ref ${ref} keeps local changes that the host did not have`;
    todo.push({ problem, command: `pdsdb diff ${name} main ${ref}` });
  }
  return { did: repo.did, handle: account?.handle, pds: account?.pds, local, host, todo };
};
