/**
 * A worker that may become the leader of a page's repository: it waits for the leader's lock, and then has the files
 * open. The browser chooses the next holder. A leader that does not reply keeps the lock, because it may resume at any
 * time with the files open.
 */
import { isRepoError, RepoError } from '../../core/errors.ts';
import { pause } from '../../core/data/pause.ts';
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import type { Channel } from './channel.ts';
import { channelName } from './channel.ts';
import type { LeaderEnd, LeaderParts } from './leader.ts';
import { Leader } from './leader.ts';

/** A storage that fails may work again in a moment. This is the number of attempts, and the pause between two. */
const MAX_ATTEMPTS = 5;
const PAUSE_MS = 500;

/** The error of a repository that was open, and is stored no more. */
const clearedError = (name: string, cause?: unknown): RepoError =>
  new RepoError(
    'RepoNotFound',
    'the repository is missing: the browser has cleared the data of this site while it was open. Make it again with ' +
      `createRepo, or bring a copy back; name=${name}`,
    { cause },
  );

export interface CandidateParts extends Omit<LeaderParts, 'channel' | 'repo' | 'signal'> {
  /** Makes the repository, of this account. */
  readonly did: string | undefined;
  /** Called when the repository is no longer usable, unless the page has left it. */
  onFailure(error: unknown): void;
}

export class Candidate {
  readonly #parts: CandidateParts;
  /** In this tab or in another one. */
  #wasOpen = false;
  /** Ends the wait for the lock, attempts to open the files, and the leadership. */
  readonly #left = new AbortController();
  /** Resolves when the files are closed, if this has the lock. */
  #ruling: Promise<void> | undefined;
  #leader: Leader | undefined;
  #isOpening = false;

  constructor(parts: CandidateParts) {
    this.#parts = parts;
  }

  /**
   * Waits for the lock, and then leads. Resolves when it holds the lock, or waits no longer.
   * @param wasOpen The page has had the repository open before.
   */
  lead(wasOpen: boolean): Promise<void> {
    const { locks, place, onFailure } = this.#parts;
    const { signal } = this.#left;
    this.#wasOpen = wasOpen;
    return new Promise((resolve) => {
      const held = (): Promise<void> => {
        resolve();
        this.#ruling = this.#rule(signal);
        return this.#ruling;
      };
      locks
        .request(`pdsdb:leader:${place.storage}:${place.name}`, { signal }, held)
        // The wait for the lock was given up, or the lock or the repository fails.
        .catch((error: unknown) => signal.aborted || onFailure(error))
        .finally(resolve);
    });
  }

  /** The page has found the leader in another tab: loads what a failover needs. */
  async follow(): Promise<void> {
    this.#wasOpen = true;
    await this.#parts.place.prepare();
  }

  /** Ends the wait, or the leadership. Resolves when the files are closed. */
  async leave(): Promise<void> {
    this.#left.abort();
    // Also for one that is about to lead, and has the files half open.
    this.#parts.place.hurry();
    await this.#ruling;
  }

  /** Has the lock. Resolves when the reign is over, with the files closed. A storage that failed is opened again. */
  async #rule(signal: AbortSignal): Promise<void> {
    const { place, openChannel } = this.#parts;
    const channel = openChannel(channelName(place.storage, place.name));
    channel.onmessage = ({ data }) => {
      if (data.kind === 'join') {
        void this.#leader?.greet(data.from);
      } else if (data.kind === 'ping' && (this.#leader !== undefined || this.#isOpening)) {
        channel.postMessage({ kind: 'pong' });
      }
    };
    try {
      while ((await this.#reign(channel, signal)) === 'failed') {
        // Its files are closed. They are opened again.
      }
    } finally {
      channel.close();
    }
  }

  async #reign(channel: Channel, signal: AbortSignal): Promise<LeaderEnd> {
    const { place, onFailure } = this.#parts;
    this.#isOpening = true;
    const repo = await this.#open(signal).finally(() => (this.#isOpening = false));
    // The page may have gone while the repository was opened.
    if (repo === undefined || signal.aborted) {
      await repo?.close();
      return 'left';
    }
    this.#wasOpen = true;
    const leader = new Leader({ ...this.#parts, repo, channel, signal });
    this.#leader = leader;
    const end = await leader.over;
    this.#leader = undefined;
    const closed = leader.close().catch((error: unknown) => {
      // A storage that has failed fails once more when it is closed.
      if (end === 'left') {
        throw error;
      }
    });
    if (end === 'cleared') {
      // Its files may never close.
      onFailure(clearedError(place.name));
    } else {
      await closed;
    }
    return end;
  }

  /** Opens, or makes, the repository. `undefined` when `signal` aborts. */
  async #open(signal: AbortSignal): Promise<StoredRepo | undefined> {
    const { place, did } = this.#parts;
    for (let failures = 0; !signal.aborted; ) {
      try {
        return await place.open(this.#wasOpen ? undefined : did);
      } catch (error) {
        if (this.#wasOpen && isRepoError(error, 'Locked')) {
          // The last leader closes the files soon, or is frozen. Each attempt has its own timeout.
          this.#isOpening = false;
          continue;
        }
        if (this.#wasOpen && isRepoError(error, 'RepoNotFound')) {
          throw clearedError(place.name, error);
        }
        failures += 1;
        const mayPass = isRepoError(error, 'StorageFailed') || isRepoError(error, 'StorageFull');
        if (!this.#wasOpen || !mayPass || failures === MAX_ATTEMPTS) {
          throw error;
        }
      }
      await pause(PAUSE_MS, undefined);
    }
    return undefined;
  }
}
