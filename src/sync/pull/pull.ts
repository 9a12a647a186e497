/** Brings a copy to the head that its host has. */
import { isRepoError } from '../../core/errors.ts';
import type { RepoErrorCode } from '../../core/errors.ts';
import type { CommitRef } from '../../core/repo/commits.ts';
import type { ImportOptions, ImportResult, KeptWork } from '../../core/repo/long-work.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { WITH_ALL_BLOBS } from '../../core/repo/store-names.ts';
import type { RecordChange } from '../../core/repo/tree.ts';
import type { MetaValues } from '../../core/repo/write/meta.ts';
import { isTransient } from '../http/retry.ts';
import type { Session } from '../http/xrpc.ts';
import type { Account } from '../identity/account.ts';
import type { IdentityOptions } from '../identity/identity-options.ts';
import { hasEarlierKey } from './earlier-key.ts';
import type { FetchedBlobs } from './fetch-blobs.ts';
import { fetchBlobs } from './fetch-blobs.ts';
import type { Host } from './host.ts';
import { hostAt, retrying } from './host.ts';
import type { HostImport } from './import-from-host.ts';
import { importFromHost } from './import-from-host.ts';
import { knownAccount, refreshAccount } from './known-account.ts';
import type { HostHead } from './latest-commit.ts';
import { isInactive, latestCommit, mayHaveMoved } from './latest-commit.ts';

/** The progress of a pull. Counts only increase within a phase. */
export interface PullProgress {
  readonly phase: 'blobs' | 'head' | 'identity' | 'read' | 'verify' | 'write';
  /** Bytes of the CAR, or of the blobs, so far. */
  readonly bytes: number;
  readonly blocks: number;
  readonly records: number;
  readonly blobs: number;
}

export interface PullOptions extends IdentityOptions {
  /** The account of the repository, if it is known. Default: looked up once a day, and kept in `repo.meta`. */
  readonly account?: Account | undefined;
  /** How the host is called. The host of a deactivated account needs its owner's session. Default: without one. */
  readonly session?: Session | undefined;
  /** Whether to fetch the blobs that are missing. Default: `true`. */
  readonly blobs?: boolean | undefined;
  /** Also accepts a host that has gone back to an older commit, or to another one. A ref keeps the old head. */
  readonly rollback?: boolean | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  /** Values to set in the transaction that moves the head. See `RepoMeta`. */
  readonly meta?: MetaValues | undefined;
}

/**
 * The result of a pull.
 *
 * - `current`: the copy has the host's head already.
 * - `updated`: the copy has the host's head now.
 * - `resynced`: the same, from the whole CAR, because the difference was not enough.
 * - `rolledBack`: the host has gone back. With `rollback`, the copy has too; without it, nothing has changed.
 * - `waiting`: the host's head is still signed with an earlier key, as after a migration. Nothing has changed.
 * - `inactive`: the account is deactivated, suspended or taken down, see `reason`. Nothing has changed.
 */
export type PullStatus = 'current' | 'inactive' | 'resynced' | 'rolledBack' | 'updated' | 'waiting';

export interface PullResult {
  readonly status: PullStatus;
  /** Of `inactive`: `RepoDeactivated`, `RepoSuspended` or `RepoTakendown`. */
  readonly reason?: RepoErrorCode | undefined;
  /** The head before, or `undefined` before the first commit. */
  readonly from: CommitRef | undefined;
  /** The head now. */
  readonly to: CommitRef | undefined;
  /** The host's head, unless the account is inactive. */
  readonly host: HostHead | undefined;
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  /** The first `MAX_REPORTED` changes, in key order. `repo.diff(from, to)` lists all. */
  readonly changes: readonly RecordChange[];
  /** Local work on the head that the host does not have. A ref keeps it. */
  readonly kept?: KeptWork | undefined;
  readonly blobs: FetchedBlobs;
}

const NO_BLOBS: FetchedBlobs = { fetched: 0, bytes: 0, failed: [] };
const NO_CHANGES = { created: 0, updated: 0, deleted: 0, changes: [] };

/** Everything that the steps of a pull share. */
interface Pulling {
  readonly repo: Repo;
  readonly options: PullOptions;
  readonly account: Account;
  readonly host: Host;
  report(phase: PullProgress['phase'], counts?: Partial<PullProgress>): void;
}

const start = (repo: Repo, account: Account, options: PullOptions): Pulling => ({
  repo,
  options,
  account,
  host: hostAt(repo, account, options),
  report: (phase, counts) => options.onProgress?.({ bytes: 0, blocks: 0, records: 0, blobs: 0, ...counts, phase }),
});

/** The account may have moved, or its key may have changed, since it was looked up. Looks again, once. */
const lookedUpAgain = async (pulling: Pulling): Promise<Pulling | undefined> => {
  const { repo, options, account } = pulling;
  if (options.account !== undefined) {
    return undefined;
  }
  const refreshed = await refreshAccount(repo, options);
  const isSame = refreshed.pds === account.pds && refreshed.key === account.key;
  return isSame ? undefined : start(repo, refreshed, options);
};

const importOptions = ({ options, report }: Pulling, key: string): ImportOptions => ({
  key,
  signal: options.signal,
  meta: options.meta,
  onProgress: ({ phase, ...counts }) => report(phase, counts),
  ...(options.rollback === true ? { rollback: true, onFork: 'keep' } : {}),
});

const refOf = (head: CommitRef | undefined): CommitRef | undefined => head && { cid: head.cid, rev: head.rev };

/** What the step of the head returns. */
interface MovedHead {
  /** With the account as it was looked up last. */
  readonly pulling: Pulling;
  readonly result: Omit<PullResult, 'blobs'>;
  /** Whether no record of a difference mentions a blob that is missing. */
  readonly addsNoBlobs?: boolean | undefined;
}

const imported = (pulling: Pulling, found: HostImport, from: CommitRef | undefined, host: HostHead): MovedHead => {
  const { head, rev, created, updated, deleted, changes, kept, replaced }: ImportResult = found.imported;
  const status = replaced !== undefined ? 'rolledBack' : found.isWhole && from !== undefined ? 'resynced' : 'updated';
  const counts = { created, updated, deleted, changes: changes.first, ...(kept === undefined ? {} : { kept }) };
  const addsNoBlobs = !found.isWhole && found.imported.missingBlobs === 0;
  return { pulling, result: { status, from, to: { cid: head, rev }, host, ...counts }, addsNoBlobs };
};

/** Moves the head. */
const pullHead = async (pulling: Pulling, isFresh: boolean): Promise<MovedHead> => {
  const { repo, options, host, account, report } = pulling;
  const from = refOf(await repo.head());
  const unchanged = (status: PullStatus, of: Pick<PullResult, 'host' | 'reason'>): MovedHead => ({
    pulling,
    result: { status, ...of, from, to: from, ...NO_CHANGES },
  });
  report('head');
  let latest: HostHead;
  try {
    latest = await retrying(host, () => latestCommit(host));
  } catch (error) {
    const again =
      isFresh || !mayHaveMoved(error)
        ? undefined
        : await lookedUpAgain(pulling).catch((failure: unknown) => {
            // The host is known to be inactive, and that is what can be said.
            if (isInactive(error) && isTransient(failure)) {
              return undefined;
            }
            throw failure;
          });
    if (again !== undefined) {
      return pullHead(again, true);
    }
    if (isInactive(error)) {
      return unchanged('inactive', { reason: error.code, host: undefined });
    }
    throw error;
  }
  if (from?.cid.toString() === latest.cid) {
    return unchanged('current', { host: latest });
  }
  const isOlder = from !== undefined && latest.rev < from.rev;
  if (isOlder && options.rollback !== true) {
    return unchanged('rolledBack', { host: latest });
  }
  report('read');
  try {
    const found = await importFromHost(
      repo,
      host,
      isOlder ? undefined : from?.rev,
      importOptions(pulling, account.key),
    );
    return imported(pulling, found, from, latest);
  } catch (error) {
    if (isRepoError(error, 'OutdatedRev')) {
      // Another process may have pulled a newer head meanwhile.
      const isMoved = from?.cid.toString() !== refOf(await repo.head())?.cid.toString();
      return isMoved ? pullHead(pulling, isFresh) : unchanged('rolledBack', { host: latest });
    }
    if (!isRepoError(error, 'InvalidSignature')) {
      throw error;
    }
    const again = isFresh ? undefined : await lookedUpAgain(pulling);
    if (again !== undefined) {
      return pullHead(again, true);
    }
    if (await hasEarlierKey(host, latest, account, options)) {
      return unchanged('waiting', { host: latest });
    }
    throw error;
  }
};

/** Fetches the missing blobs, unless the head before had all of them and the changes add none. */
const pullBlobs = async ({ pulling, result: { from, to }, addsNoBlobs }: MovedHead): Promise<FetchedBlobs> => {
  const { repo, host, report } = pulling;
  const complete = await repo.meta.get(WITH_ALL_BLOBS);
  const isComplete = addsNoBlobs === true && complete !== undefined && complete === from?.cid.toString();
  const onBlob = ({ fetched, bytes }: { readonly fetched: number; readonly bytes: number }): void =>
    report('blobs', { blobs: fetched, bytes });
  const blobs = isComplete ? NO_BLOBS : await fetchBlobs(repo, host, { onBlob });
  if (blobs.failed.length === 0 && blobs.stopped === undefined && complete !== to?.cid.toString()) {
    await repo.meta.set(WITH_ALL_BLOBS, to?.cid.toString());
  }
  return blobs;
};

/**
 * Brings a copy to the head that its host has, and fetches missing blobs. It asks for the host's head, then for the
 * changes since the local head, then for blocks that these lack, and only if that fails for the whole CAR. If the copy
 * is current, that is one request.
 *
 * Each commit is verified with the key of the account's DID document before the head moves, in one transaction. If the
 * signature is of another key, or the host does not know the account, the account is looked up again. Calls that fail
 * are repeated a few times. A pull that ends early is continued by the next one.
 *
 * @returns What has changed. The status says why nothing has.
 * @throws {RepoError} `HostUnreachable`, `HostFailed`, `HostRejected`, `RateLimitExceeded`, `RepoNotFound`; the errors
 *   of {@link resolveAccount} and of `Repo.importCar`, such as `InvalidSignature`, `WrongDid`. The head is unchanged.
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/node';
 * import { pull } from 'pdsdb/sync';
 *
 * await using repo = await openRepo('alice');
 * const { status, created, updated, deleted } = await pull(repo);
 * console.log(status, created, updated, deleted);
 * ```
 * @see https://atproto.com/specs/sync
 */
export const pull = async (repo: Repo, options: PullOptions = {}): Promise<PullResult> => {
  const { signal } = options;
  signal?.throwIfAborted();
  options.onProgress?.({ phase: 'identity', bytes: 0, blocks: 0, records: 0, blobs: 0 });
  const before = Date.now();
  const account = options.account ?? (await knownAccount(repo, options));
  const isFresh = options.account !== undefined || account.fetchedAt >= before;
  const moved = await pullHead(start(repo, account, options), isFresh);
  const { result } = moved;
  const hasBlobs = options.blobs !== false && result.status !== 'inactive';
  return { ...result, blobs: hasBlobs ? await pullBlobs(moved) : NO_BLOBS };
};
