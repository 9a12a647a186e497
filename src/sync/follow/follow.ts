/** Keeps a copy current while it is iterated. */
import type { RepoError } from '../../core/errors.ts';
import { isRepoError } from '../../core/errors.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { knownAccount, refreshAccount } from '../pull/known-account.ts';
import type { PullResult } from '../pull/pull.ts';
import { pull } from '../pull/pull.ts';
import { backoffOf, waitFor } from './backoff.ts';
import { followFirehose } from './follow-firehose.ts';
import { followHints } from './follow-hints.ts';
import type { Follow, Following, FollowOptions, FollowState, FollowUpdate } from './follow-updates.ts';
import { platformWebSocket } from './socket.ts';

const CHECK_MS = 60_000;

/** Errors that trying again does not mend. */
const isFinal = (error: unknown): boolean =>
  !isRepoError(error) ||
  ['Closed', 'Corrupt', 'ReadOnly', 'StorageFailed', 'StorageFull', 'Unsupported'].includes(error.code);

const changeOf = ({ from, to, changes }: PullResult): FollowUpdate | undefined =>
  to === undefined || from?.cid.toString() === to.cid.toString()
    ? undefined
    : { type: 'change', from, to, changes, via: 'pull' };

/**
 * Keeps a copy current for as long as it is iterated: catches up, then applies what the host announces, and connects
 * again after errors. It yields each change and each state. The position in the host's events is stored in the
 * transaction that applies an event, so that a later call continues there.
 *
 * The back-off is 1 s to 1 min, with jitter. A change of the account's key or host is noticed, and the host followed to
 * its new address. A loop that breaks ends it, as does the signal.
 *
 * The iteration throws an error of the copy, such as `StorageFull`, and those that the host cannot mend, such as
 * `InvalidDid`. It does not throw when a host is unreachable or failing.
 *
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/node';
 * import { follow } from 'pdsdb/sync';
 *
 * await using repo = await openRepo('alice');
 * for await (const update of follow(repo)) {
 *   console.log(update.type === 'state' ? update.state : update.changes.map(({ rkey }) => rkey));
 * }
 * ```
 * @see https://atproto.com/specs/sync
 */
export const follow = (repo: Repo, options: FollowOptions = {}): Follow => {
  const abort = new AbortController();
  let state: FollowState = 'connecting';
  const { signal: outer } = options;
  const stop = (): void => abort.abort(outer?.reason);
  outer?.addEventListener('abort', stop);
  if (outer?.aborted === true) {
    stop();
  }
  const { signal } = abort;
  const enter = (next: FollowState, reason?: string): FollowUpdate => {
    state = next;
    return { type: 'state', state, ...(reason === undefined ? {} : { reason }) };
  };
  const following: Following = {
    repo,
    options,
    signal,
    checkMs: options.checkMs ?? CHECK_MS,
    webSocket: () => options.WebSocket ?? platformWebSocket(),
    enter,
    async *pullNow() {
      const result = await pull(repo, { ...options, signal });
      const change = changeOf(result);
      if (change !== undefined) {
        yield change;
      }
      if (result.status === 'inactive') {
        yield enter('inactive', result.reason);
        return false;
      }
      if (result.status === 'rolledBack' || result.status === 'waiting') {
        yield enter('inactive', result.status);
        return false;
      }
      if (state !== 'live') {
        yield enter('live');
      }
      return true;
    },
  };
  const source = options.source ?? 'firehose';

  const run = async function* (): AsyncGenerator<FollowUpdate, void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        yield enter('connecting');
        for await (const update of source === 'firehose' ? followFirehose(following) : followHints(following, source)) {
          if (update.type === 'change' || update.state === 'live') {
            attempt = 0;
          }
          yield update;
        }
      } catch (error) {
        if (signal.aborted) {
          break;
        }
        if (isFinal(error)) {
          throw error;
        }
        const wait = backoffOf(attempt);
        const { code, message } = error as RepoError;
        yield {
          ...enter('offline', `${code}: ${message}`),
          type: 'state',
          state: 'offline',
          retryAt: Date.now() + wait,
        };
        await waitFor(wait, signal);
        await lookAgain(following);
      }
    }
  };

  const iterate = async function* (): AsyncGenerator<FollowUpdate, void> {
    try {
      yield* run();
      yield enter('closed');
    } finally {
      end();
    }
  };
  const end = (): void => {
    state = 'closed';
    abort.abort();
    outer?.removeEventListener('abort', stop);
  };
  const updates = iterate();
  const close = async (): Promise<void> => {
    end();
    await updates.return();
  };
  return {
    get state() {
      return state;
    },
    close,
    [Symbol.asyncIterator]: () => updates,
    [Symbol.asyncDispose]: close,
  };
};

/** After a failure the account may be at another host. Its identity is looked up again, at most once a minute. */
const lookAgain = async ({ repo, options, signal }: Following): Promise<void> => {
  try {
    const { fetchedAt } = await knownAccount(repo, { ...options, signal });
    if (!signal.aborted && Date.now() - fetchedAt > CHECK_MS) {
      await refreshAccount(repo, { ...options, signal });
    }
  } catch (error) {
    if (!isRepoError(error) && !signal.aborted) {
      throw error;
    }
  }
};
