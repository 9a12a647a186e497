/**
 * One page's use of a repository, in that page's worker. It leads, and then has the files open itself, or follows, and
 * then hands its page's messages on to the one that leads. Whoever leads holds a lock; all others wait for it, so that
 * the browser itself chooses the next one when the leader is gone.
 */
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { Repo } from '../../core/repo.ts';
import { createErrorBook } from './error-data.ts';
import { Leader } from './leader.ts';
import type { Channel } from './leader.ts';
import type { Locks } from './locks.ts';
import type { Attachment, ChannelMessage, FromPage, FromWorker, Message, StorageKind } from './protocol.ts';
import { leaderLock, memberLock } from './protocol.ts';

/** A place for a repository in the storage of this browser. */
export interface RepoPlace {
  readonly name: string;
  readonly storage: StorageKind;
  /** Opens what is there, or with a DID makes it. */
  open(did: string | undefined): Promise<Repo>;
  /** Loads what opening needs, for whoever may have to open it in a hurry. Never rejects: what fails, fails again then. */
  prepare(): Promise<void>;
  /** Has what is open closed without any waiting that could be spared: whoever waits may be frozen. */
  hurry(): void;
}

export interface MemberParts {
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
}

type Role =
  | { readonly kind: 'follows'; readonly leader: string }
  | { readonly kind: 'leads'; readonly leader: Leader }
  | { readonly kind: 'looks' };

export class Member {
  readonly #parts: MemberParts;
  readonly #channel: Channel & { close(): void };
  #role: Role = { kind: 'looks' };
  #generation = 0;
  /** The DID of a repository that is still to be made. */
  #did: string | undefined;
  /** The wait for the lock of the leader, or `undefined` while away. */
  #queue: AbortController | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  /** Lets go of the leader's lock. */
  #abdicate = (): void => {};
  #releaseLife = (): void => {};
  #leaderSaidBye = (): void => {};
  #ended = false;

  constructor(parts: MemberParts) {
    this.#parts = parts;
    this.#did = parts.did;
    this.#channel = parts.openChannel((message) => this.#hear(message));
  }

  /** Looks for whoever leads, or leads. */
  async join(): Promise<void> {
    const { id, locks, waitMs } = this.#parts;
    this.#patience = setTimeout(() => {
      const message = 'the tab that has the repository open does not answer';
      this.#fail(new RepoError('Locked', `${message}; name=${this.#parts.place.name} waitMs=${waitMs}`));
    }, waitMs);
    await new Promise<void>((held) => {
      const life = new Promise<void>((release) => (this.#releaseLife = release));
      void locks.request(memberLock(id), {}, () => (held(), life));
    });
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
    clearTimeout(this.#patience);
    // Whoever led is gone. A page that was waiting for its last word need not.
    this.#leaderSaidBye();
    this.#role = { kind: 'looks' };
    const repo = await this.#open(queue);
    if (repo === undefined) {
      return;
    }
    this.#did = undefined;
    try {
      await this.#reign(queue, repo);
    } finally {
      await repo.close();
    }
  }

  /**
   * Opens the repository. One that takes over waits for as long as the files are held: whoever led has let go of the lead,
   * and is about to let go of these, or is frozen over it.
   */
  async #open(queue: AbortController): Promise<Repo | undefined> {
    while (!queue.signal.aborted && !this.#ended) {
      try {
        return await this.#parts.place.open(this.#did);
      } catch (error) {
        if (this.#generation === 0 || !isRepoError(error, 'Locked')) {
          throw error;
        }
      }
    }
    return undefined;
  }

  async #reign(queue: AbortController, repo: Repo): Promise<void> {
    const { id, locks, place } = this.#parts;
    const about = async (): Promise<Omit<Attachment, 'generation'>> => ({ did: repo.did, rev: (await repo.head())?.rev, storage: place.storage });
    const known = await about();
    // The page may have gone while the repository was opened.
    if (queue.signal.aborted || this.#ended) {
      return;
    }
    const leader = new Leader({ id, repo, about, channel: this.#channel, locks }, (message) => this.#parts.toPage({ kind: 'message', message }));
    const reign = new Promise<void>((resolve) => (this.#abdicate = resolve));
    this.#role = { kind: 'leads', leader };
    this.#attach(known);
    await leader.announce();
    await reign;
  }

  #hear(message: ChannelMessage): void {
    const role = this.#role;
    if (this.#ended || this.#queue === undefined) {
      return;
    }
    if (role.kind === 'leads') {
      role.leader.hear(message);
      return;
    }
    const { id, toPage } = this.#parts;
    if (message.kind === 'here') {
      if (message.to === id) {
        this.#follow(message.from, message.about);
      } else if (message.to === undefined) {
        this.#leaderSaidBye();
        this.#channel.postMessage({ kind: 'hello', from: id });
      }
    } else if (role.kind === 'follows' && message.from === role.leader) {
      if (message.kind === 'message' && message.to === id) {
        toPage({ kind: 'message', message: message.message });
      } else if (message.kind === 'bye' && message.to === id) {
        this.#leaderSaidBye();
      }
    }
  }

  #follow(leader: string, about: Omit<Attachment, 'generation'>): void {
    clearTimeout(this.#patience);
    if (this.#did !== undefined) {
      this.#fail(new RepoError('RepoExists', `there is a repository already; name=${this.#parts.place.name}`));
      return;
    }
    this.#role = { kind: 'follows', leader };
    void this.#parts.place.prepare();
    this.#attach(about);
  }

  #attach(about: Omit<Attachment, 'generation'>): void {
    this.#generation += 1;
    this.#parts.toPage({ kind: 'attached', attachment: { ...about, generation: this.#generation } });
  }

  #handOn(message: Message): void {
    const role = this.#role;
    if (role.kind === 'leads') {
      role.leader.receive(message);
    } else if (role.kind === 'follows') {
      this.#channel.postMessage({ kind: 'message', from: this.#parts.id, to: role.leader, message });
    }
  }

  /** The page goes out of sight, and may be frozen: nobody must wait for it. */
  async #leave(): Promise<void> {
    const role = this.#role;
    clearTimeout(this.#patience);
    this.#queue?.abort();
    this.#queue = undefined;
    this.#role = { kind: 'looks' };
    if (role.kind === 'leads') {
      this.#parts.place.hurry();
      await this.#endReign(role.leader);
    } else if (role.kind === 'follows') {
      this.#channel.postMessage({ kind: 'bye', from: this.#parts.id, to: role.leader });
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
    clearTimeout(this.#patience);
    this.#parts.toPage(last);
    this.#queue?.abort();
    this.#abdicate();
    this.#releaseLife();
    this.#channel.close();
  }
}
