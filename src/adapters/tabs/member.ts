/**
 * One page's use of a repository, in that page's worker. A member leads and has the files open, or follows and forwards
 * the messages between its page and the leader.
 */
import { RepoError } from '../../core/errors.ts';
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import type { Locks } from '../origin/locks.ts';
import type { ChannelMessage, FromPage, Message, ToPage } from '../rpc/protocol.ts';
import { Heartbeat, silenceError } from './heartbeat.ts';
import { Leader } from './leader.ts';
import type { Channel } from './leader.ts';
import type { LeaderFailure } from './leadership.ts';
import { clearedError, lead } from './leadership.ts';
import type { RepoPlace } from './repo-place.ts';

export interface MemberParts {
  /** A text that no other member has. A lock of that name is held until the end: see `memberLock`. */
  readonly id: string;
  readonly place: RepoPlace;
  /** Makes the repository, of this account. */
  readonly did: string | undefined;
  /** How long to wait for a sign of the leader. */
  readonly waitMs: number;
  readonly locks: Locks;
  /** All workers of this repository share it. */
  readonly channel: Channel;
  /** To the page: carries the messages of the repository. */
  readonly port: MessagePort;
  /** Tells the page under which number its calls reach the repository from now on. */
  onAttached(generation: number): void;
  /** Tells the page that the leader does not reply. */
  onSilence(): void;
  /** Called when the repository is no longer usable, unless the page has closed it. */
  onFailure(error: unknown): void;
}

export class Member {
  readonly #parts: MemberParts;
  readonly #heartbeat = new Heartbeat(
    () => this.#ping(),
    () => this.#parts.onSilence(),
  );
  /** The leader is this member, another one by its name, or not known. */
  #role: Leader | string | undefined;
  #generation = 0;
  /** The DID of a repository that is still to be made. */
  #did: string | undefined;
  /** Ends the wait for the lock of the leader, or the leadership; `undefined` while away. */
  #queue: AbortController | undefined;
  #timeout: ReturnType<typeof setTimeout> | undefined;
  /** Holds the leader's lock, and is opening the files. */
  #isOpening = false;
  #isEnded = false;

  /** Looks for the leader, or leads. */
  constructor(parts: MemberParts) {
    const { did, channel, place, port, waitMs } = parts;
    this.#parts = parts;
    this.#did = did;
    channel.onmessage = ({ data }) => this.#hear(data);
    port.addEventListener('message', ({ data }: MessageEvent<FromPage>) => {
      if (data.kind === 'repo') {
        this.#receive(data.generation, data.message);
      }
    });
    this.#timeout = setTimeout(() => this.#fail(silenceError(place.name, waitMs)), waitMs);
    this.return();
  }

  /** The page goes out of sight, and may be frozen, or closes: no other tab must wait for it. */
  async leave(): Promise<void> {
    const { id, channel, place } = this.#parts;
    const role = this.#role;
    clearTimeout(this.#timeout);
    this.#heartbeat.pause();
    this.#queue?.abort();
    this.#queue = undefined;
    this.#role = undefined;
    // Also for one that is about to lead, and has the files half open.
    place.hurry();
    if (role instanceof Leader) {
      await role.leave();
    } else if (role !== undefined) {
      channel.postMessage({ kind: 'away', from: id, to: role });
    }
  }

  /** The page is back. */
  return(): void {
    const { id, locks, place, channel } = this.#parts;
    if (this.#isEnded || this.#queue !== undefined) {
      return;
    }
    const queue = new AbortController();
    this.#queue = queue;
    this.#heartbeat.resume();
    lead(place, locks, queue.signal, {
      open: () => (this.#generation === 0 ? place.open(this.#did) : undefined),
      onOpening: (isOpening) => this.#open(isOpening),
      reign: (repo) => this.#reign(repo, queue.signal),
    }).catch((error: unknown) => {
      // The wait for the lock was given up, or the lock or the repository fails.
      if (!queue.signal.aborted) {
        this.#fail(error);
      }
    });
    channel.postMessage({ kind: 'hello', from: id });
  }

  /** Resolves when the files are closed. */
  async close(): Promise<void> {
    try {
      await this.leave();
    } finally {
      this.#end();
    }
  }

  /** A message of the page. */
  #receive(generation: number, message: Message): void {
    const { id, channel } = this.#parts;
    if (this.#isEnded || generation !== this.#generation) {
      return;
    }
    if (this.#role instanceof Leader) {
      this.#role.receive(message);
      return;
    }
    if (message.kind === 'call') {
      this.#heartbeat.asked(message.id);
    }
    if (this.#role !== undefined) {
      channel.postMessage({ kind: 'message', from: id, to: this.#role, message });
    }
  }

  /** Holds the lock, and is opening the files. */
  #open(isOpening: boolean): void {
    this.#isOpening = isOpening;
    if (isOpening) {
      clearTimeout(this.#timeout);
      this.#role = undefined;
    }
  }

  async #reign(repo: StoredRepo, signal: AbortSignal): Promise<LeaderFailure | undefined> {
    const { place } = this.#parts;
    this.#did = undefined;
    // The page may have gone while the repository was opened.
    if (signal.aborted) {
      await repo.close();
      return undefined;
    }
    const leader = new Leader({ ...this.#parts, repo, toPage: (message) => this.#toPage(message) });
    this.#follow(leader);
    const failure = await leader.over;
    const left =
      failure &&
      leader.leave().catch(() => {
        // The storage has failed, and fails once more when it is closed.
      });
    if (failure === 'cleared') {
      // Its files may never close.
      this.#fail(clearedError(place.name));
    } else {
      await left;
    }
    return failure;
  }

  #hear(message: ChannelMessage): void {
    const { id, channel } = this.#parts;
    const role = this.#role;
    if (this.#queue === undefined) {
      return;
    }
    if (message.kind === 'ping') {
      if (role instanceof Leader || this.#isOpening) {
        channel.postMessage({ kind: 'pong', from: id, to: message.from });
      }
    } else if (role instanceof Leader) {
      role.hear(message);
    } else if (message.kind === 'here') {
      if (message.from !== role) {
        this.#follow(message.from);
      }
    } else if ('to' in message && message.to === id) {
      this.#heartbeat.heard();
      if (message.kind === 'message' && message.from === role) {
        if (message.message.kind === 'reply' || message.message.kind === 'failure') {
          this.#heartbeat.replied(message.message.id);
        }
        this.#toPage(message.message);
      }
    }
  }

  /** Another worker, or this one, begins to serve the page, which sends the calls that wait again. */
  #follow(leader: Leader | string): void {
    const { onAttached, place } = this.#parts;
    clearTimeout(this.#timeout);
    if (this.#did !== undefined) {
      this.#fail(
        new RepoError('RepoExists', `the repository already exists: open it with openRepo; name=${place.name}`),
      );
      return;
    }
    if (typeof leader === 'string') {
      void place.prepare();
    }
    this.#role = leader;
    this.#generation += 1;
    this.#heartbeat.forget();
    onAttached(this.#generation);
  }

  #toPage(message: Message): void {
    this.#parts.port.postMessage({ kind: 'repo', message } satisfies ToPage);
  }

  #ping(): void {
    if (this.#isOpening) {
      this.#heartbeat.heard();
    } else {
      this.#parts.channel.postMessage({ kind: 'ping', from: this.#parts.id });
    }
  }

  #fail(error: unknown): void {
    if (!this.#isEnded) {
      this.#end();
      this.#parts.onFailure(error);
    }
  }

  #end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timeout);
    this.#heartbeat.forget();
    this.#queue?.abort();
    this.#queue = undefined;
    this.#parts.channel.close();
  }
}
