/**
 * One page's use of a repository, in that page's worker. A member leads and has the files open, or follows and hands
 * its page's messages on to the leader. The leader holds a lock that all others wait for: the browser chooses the next.
 */
import { RepoError } from '../../core/errors.ts';
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import { createErrorBook } from '../rpc/error-data.ts';
import type { Heartbeat } from './heartbeat.ts';
import { createHeartbeat } from './heartbeat.ts';
import { Leader, aboutRepo } from './leader.ts';
import type { Channel, LeaderFailure } from './leader.ts';
import type { Locks } from '../rpc/locks.ts';
import type { Attachment, ChannelMessage, FromPage, FromWorker, Message } from '../rpc/protocol.ts';
import { leaderLock } from '../rpc/protocol.ts';
import type { RepoPlace } from './repo-place.ts';
import { clearedError, failover } from './failover.ts';

/** The number of the one call that is the member's and not the page's: to be told when it may go. */
const GOODBYE = -1;

export interface MemberParts {
  /** A text that is nobody else's, and a lock of that name is held until the end: see `memberLock`. */
  readonly id: string;
  readonly place: RepoPlace;
  /** Makes the repository, of this account. */
  readonly did: string | undefined;
  /** How long to wait for a sign of whoever has it open. */
  readonly waitMs: number;
  readonly locks: Locks;
  /** Opens the channel that all workers of this repository share. */
  openChannel(hear: (message: ChannelMessage) => void): Channel & { close(): void };
  toPage(message: FromWorker): void;
  /** Called when the page has no use of the repository any more. */
  onEnd(): void;
}

type Role =
  | { readonly kind: 'follows'; readonly leader: string }
  | { readonly kind: 'leads'; readonly leader: Leader }
  | { readonly kind: 'looks' };

export class Member {
  readonly #parts: MemberParts;
  readonly #channel: Channel & { close(): void };
  readonly #heartbeat: Heartbeat;
  #role: Role = { kind: 'looks' };
  #generation = 0;
  /** The DID of a repository that is still to be made. */
  #did: string | undefined;
  /** The wait for the lock of the leader, or `undefined` while away. */
  #queue: AbortController | undefined;
  #timeout: ReturnType<typeof setTimeout> | undefined;
  /** Holds the leader's lock, and is opening the files; not while somebody else keeps them. */
  #isOpening = false;
  /** Lets go of the leader's lock. */
  #abdicate = (): void => {};
  #leaderSaidBye = (): void => {};
  #ended = false;

  constructor(parts: MemberParts) {
    this.#parts = parts;
    this.#did = parts.did;
    this.#heartbeat = createHeartbeat(this.#ping.bind(this), this.#tellSilence.bind(this));
    this.#channel = parts.openChannel((message) => this.#hear(message));
  }

  /** Looks for whoever leads, or leads. */
  join(): void {
    const { place, waitMs } = this.#parts;
    this.#timeout = setTimeout(() => {
      const message = 'the tab that has the repository open does not answer';
      this.#fail(new RepoError('Locked', `${message}; name=${place.name} waitMs=${waitMs}`));
    }, waitMs);
    this.#look();
  }

  /** A message of the page. */
  receive(message: FromPage): void {
    if (this.#ended) {
      return;
    }
    switch (message.kind) {
      case 'close':
        void this.#close();
        break;
      case 'leave':
        void this.#leave();
        break;
      case 'message':
        if (message.generation === this.#generation) {
          this.#handOn(message.message);
        }
        break;
      case 'return':
        if (this.#queue === undefined) {
          this.#look();
        }
        break;
    }
  }

  #look(): void {
    const { id, locks, place } = this.#parts;
    const queue = new AbortController();
    this.#queue = queue;
    this.#heartbeat.resume();
    locks
      .request(leaderLock(place.storage, place.name), { signal: queue.signal }, () => this.#lead(queue))
      .catch((error: unknown) => {
        // The wait for the lock was given up, or else something is wrong with the lock or the repository.
        if (!queue.signal.aborted) {
          this.#fail(error);
        }
      });
    this.#channel.postMessage({ kind: 'hello', from: id });
  }

  /** Holds the leader's lock: until this resolves, nobody else opens the files. */
  async #lead(queue: AbortController): Promise<void> {
    if (queue.signal.aborted || this.#ended) {
      return;
    }
    clearTimeout(this.#timeout);
    // Whoever led is gone. A page that was waiting for its last word need not.
    this.#leaderSaidBye();
    let failure: LeaderFailure | undefined;
    // A storage that has failed takes nothing more until it is opened again.
    do {
      this.#role = { kind: 'looks' };
      const repo = await this.#open(queue);
      if (repo === undefined) {
        return;
      }
      this.#did = undefined;
      failure = undefined;
      try {
        failure = await this.#reign(queue, repo);
      } finally {
        const closing = repo.close().catch((error: unknown) => {
          // Whoever asked for what has failed was told: that it cannot be closed well either says no more.
          if (failure === undefined) {
            throw error;
          }
        });
        // Files that the browser has cleared away under us may never close.
        await (failure === 'cleared' ? undefined : closing);
      }
    } while (failure === 'failed' && !queue.signal.aborted && !this.#ended);
  }

  async #open(queue: AbortController): Promise<StoredRepo | undefined> {
    const { place } = this.#parts;
    this.#isOpening = true;
    try {
      if (this.#generation === 0) {
        return await place.open(this.#did);
      }
      return await failover(place, {
        isWanted: () => !queue.signal.aborted && !this.#ended,
        onLocked: () => (this.#isOpening = false),
      });
    } finally {
      this.#isOpening = false;
    }
  }

  /** Resolves to what has ended it, or to `undefined` when this page has no more use of it. */
  async #reign(queue: AbortController, repo: StoredRepo): Promise<LeaderFailure | undefined> {
    const { id, locks, place } = this.#parts;
    const known = await aboutRepo(repo, place);
    // The page may have gone while the repository was opened.
    if (queue.signal.aborted || this.#ended) {
      return undefined;
    }
    let end = (_?: LeaderFailure): void => {};
    const reign = new Promise<LeaderFailure | undefined>((resolve) => (end = resolve));
    this.#abdicate = end;
    const parts = { id, repo, place, channel: this.#channel, locks, onFailure: end };
    const leader = new Leader(parts, (message) => this.#parts.toPage({ kind: 'message', message }));
    this.#role = { kind: 'leads', leader };
    this.#attach(known);
    await leader.announce();
    const failure = await reign;
    if (failure === 'cleared') {
      this.#fail(clearedError(place.name));
    } else if (failure === 'failed') {
      await leader.leave().catch(() => {
        // The storage has failed, and says so once more when it is closed.
      });
    }
    return failure;
  }

  #hear(message: ChannelMessage): void {
    const role = this.#role;
    if (this.#ended || this.#queue === undefined) {
      return;
    }
    if (message.kind === 'ping') {
      if (role.kind === 'leads' || this.#isOpening) {
        this.#channel.postMessage({ kind: 'pong', from: this.#parts.id, to: message.from });
      }
      return;
    }
    if (role.kind === 'leads') {
      role.leader.hear(message);
      return;
    }
    const { id, toPage } = this.#parts;
    if (message.kind === 'pong' && message.to === id) {
      this.#heartbeat.heard();
    }
    if (message.kind === 'here') {
      if (message.to === id) {
        this.#follow(message.from, message.about);
      } else if (message.to === undefined) {
        // It may be the same one, with the files opened anew: what the page says until it follows is asked again then.
        this.#role = { kind: 'looks' };
        this.#leaderSaidBye();
        this.#channel.postMessage({ kind: 'hello', from: id });
      }
    } else if (role.kind === 'follows' && message.from === role.leader) {
      if (message.kind === 'message' && message.to === id) {
        this.#heartbeat.heard();
        if (message.message.kind === 'answer' || message.message.kind === 'failure') {
          this.#heartbeat.answered(message.message.id);
        }
        toPage({ kind: 'message', message: message.message });
      } else if (message.kind === 'bye' && message.to === id) {
        this.#leaderSaidBye();
      }
    }
  }

  #follow(leader: string, about: Omit<Attachment, 'generation'>): void {
    clearTimeout(this.#timeout);
    if (this.#did !== undefined) {
      this.#fail(new RepoError('RepoExists', `the repository exists: use openRepo; name=${this.#parts.place.name}`));
      return;
    }
    this.#role = { kind: 'follows', leader };
    void this.#parts.place.prepare();
    this.#attach(about);
  }

  #attach(about: Omit<Attachment, 'generation'>): void {
    this.#generation += 1;
    // What waits the page asks again.
    this.#heartbeat.forget();
    this.#parts.toPage({ kind: 'attached', attachment: { ...about, generation: this.#generation } });
  }

  #handOn(message: Message): void {
    const role = this.#role;
    if (role.kind === 'leads') {
      role.leader.receive(message);
      return;
    }
    if (message.kind === 'call') {
      this.#heartbeat.asked(message.id);
    }
    if (role.kind === 'follows') {
      this.#channel.postMessage({ kind: 'message', from: this.#parts.id, to: role.leader, message });
    }
  }

  #ping(): void {
    if (this.#isOpening) {
      this.#heartbeat.heard();
    } else {
      this.#channel.postMessage({ kind: 'ping', from: this.#parts.id });
    }
  }

  /**
   * The lock is not taken from whoever is silent: a page that was frozen may go on at any moment, with the files open.
   */
  #tellSilence(): void {
    const error = new RepoError(
      'Locked',
      `the tab that has the repository open does not answer; name=${this.#parts.place.name}`,
    );
    this.#parts.toPage({ kind: 'silent', error: createErrorBook().toData(error) });
    this.#leaderSaidBye();
  }

  /** The page goes out of sight, and may be frozen: nobody must wait for it. */
  async #leave(): Promise<void> {
    const role = this.#role;
    clearTimeout(this.#timeout);
    this.#heartbeat.pause();
    this.#queue?.abort();
    this.#queue = undefined;
    this.#role = { kind: 'looks' };
    // Also for one that is about to lead, and has the files half open.
    this.#parts.place.hurry();
    if (role.kind === 'leads') {
      await this.#endReign(role.leader);
    } else if (role.kind === 'follows') {
      this.#channel.postMessage({ kind: 'away', from: this.#parts.id, to: role.leader });
      this.#leaderSaidBye();
    }
  }

  async #endReign(leader: Leader): Promise<void> {
    try {
      await leader.leave();
    } finally {
      this.#abdicate();
    }
  }

  async #close(): Promise<void> {
    const role = this.#role;
    try {
      if (role.kind === 'leads') {
        await role.leader.idle();
        await this.#endReign(role.leader);
      } else if (role.kind === 'follows') {
        const bye = new Promise<void>((resolve) => (this.#leaderSaidBye = resolve));
        this.#heartbeat.asked(GOODBYE);
        this.#channel.postMessage({ kind: 'bye', from: this.#parts.id, to: role.leader });
        await bye;
      }
      this.#end({ kind: 'closed' });
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#end({ kind: 'failed', error: createErrorBook().toData(error) });
  }

  #end(last: FromWorker): void {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    clearTimeout(this.#timeout);
    this.#heartbeat.forget();
    this.#parts.toPage(last);
    this.#queue?.abort();
    this.#abdicate();
    this.#channel.close();
    this.#parts.onEnd();
  }
}
