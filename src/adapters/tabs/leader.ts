/** The worker of the tab that has the files open: serves its own page, and those of other tabs over a channel. */
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import { isReleased } from '../origin/locks.ts';
import type { Locks } from '../origin/locks.ts';
import type { Send } from '../rpc/peer.ts';
import type { ChannelMessage, Message } from '../rpc/protocol.ts';
import { memberLock } from '../rpc/protocol.ts';
import type { Served } from '../rpc/server.ts';
import { serveRepo } from '../rpc/server.ts';
import { uniqueName } from '../rpc/unique-name.ts';
import type { LeaderFailure } from './leadership.ts';
import type { RepoPlace } from './repo-place.ts';

/** How long a leader that goes waits for the calls that it has begun. Calls that take longer go to the next leader. */
const GRACE_MS = 250;

/** `BroadcastChannel`, as far as it is used. */
export interface Channel {
  onmessage: ((event: { readonly data: ChannelMessage }) => void) | null;
  postMessage(message: ChannelMessage): void;
  close(): void;
}

export interface LeaderParts {
  readonly repo: StoredRepo;
  readonly place: RepoPlace;
  readonly channel: Channel;
  readonly locks: Locks;
  /** Carries replies to the page of this worker. */
  readonly toPage: Send;
}

export class Leader {
  /** Resolves when the reign is over: to its failure, or to `undefined` after {@link leave}. */
  readonly over: Promise<LeaderFailure | undefined>;
  readonly #parts: LeaderParts;
  /** The name of this term of leadership. A worker that opens the files again begins another term. */
  readonly #id = uniqueName();
  readonly #ownPage: Served;
  /** The pages of the followers, by their members. */
  readonly #clients = new Map<string, Served>();
  #end: (failure?: LeaderFailure) => void = () => {};
  #isLeaving = false;

  constructor(parts: LeaderParts) {
    this.over = new Promise((resolve) => (this.#end = resolve));
    this.#parts = parts;
    this.#ownPage = this.#serve(parts.toPage);
    this.#announce();
  }

  /** A message of the page of this worker. */
  receive(message: Message): void {
    this.#pass(message, this.#ownPage);
  }

  /** A message of another tab. */
  hear(message: ChannelMessage): void {
    const { kind, from } = message;
    if (kind === 'hello') {
      void this.#welcome();
    } else if ('to' in message && message.to === this.#id) {
      if (kind === 'away') {
        this.#drop(from);
      } else if (kind === 'message') {
        const { message: inner } = message;
        this.#pass(inner, this.#clients.get(from) ?? (inner.kind === 'call' ? this.#admit(from) : undefined));
      }
    }
  }

  /** Ends the reign: ends the calls that run, or leaves them if that takes long, and closes the repository. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    const all = [this.#ownPage, ...this.#clients.values()];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, GRACE_MS)));
    await Promise.race([grace, Promise.all(all.map((served) => served.idle()))]);
    clearTimeout(timer);
    all.forEach((served) => served.end());
    try {
      await this.#parts.repo.close();
    } finally {
      this.#end();
    }
  }

  /** Calls to a leader that goes are sent to the next one; replies to its own calls it still needs. */
  #pass(message: Message, served: Served | undefined): void {
    if (!this.#isLeaving || message.kind !== 'call') {
      served?.receive(message);
    }
  }

  #serve(send: Send): Served {
    const { repo, place } = this.#parts;
    return serveRepo(repo, place.storage, (message) => {
      send(message);
      // A reply may tell of a storage that fails: it may have failed for every page.
      const code = message.kind === 'failure' ? message.error.code : undefined;
      if (code === 'StorageFailed' || code === 'StorageFull') {
        void this.#examine();
      }
    });
  }

  #admit(member: string): Served {
    const { channel, locks } = this.#parts;
    const served = this.#serve((message) =>
      channel.postMessage({ kind: 'message', from: this.#id, to: member, message }),
    );
    const watch = new AbortController();
    const end = (): void => {
      watch.abort();
      served.end();
    };
    this.#clients.set(member, { ...served, end });
    // The member holds this lock as long as it lives.
    void isReleased(locks, memberLock(member), watch.signal).then((isGone) => isGone && this.#drop(member));
    return served;
  }

  #drop(member: string): void {
    this.#clients.get(member)?.end();
    this.#clients.delete(member);
  }

  #announce(): void {
    this.#parts.channel.postMessage({ kind: 'here', from: this.#id });
  }

  async #welcome(): Promise<void> {
    try {
      await this.#parts.repo.head();
      // The tab that asks may be about to create the repository again.
      if (!(await this.#isCleared()) && !this.#isLeaving) {
        this.#announce();
      }
    } catch {
      // The tab that asks hears of the next reign.
      this.#end('failed');
    }
  }

  /** Whether the browser has cleared the data of the site. If so, the reign is over. */
  async #isCleared(): Promise<boolean> {
    try {
      if ((await this.#parts.place.isStored?.()) !== false) {
        return false;
      }
    } catch {
      // The storage cannot be examined now, and may be as it was. A failure shows when it is used.
      return false;
    }
    this.#end('cleared');
    return true;
  }

  async #examine(): Promise<void> {
    const { repo } = this.#parts;
    try {
      await repo.head();
      // Blobs have a connection of their own where they are in IndexedDB.
      for await (const _ of repo.blobs()) {
        break;
      }
      await this.#isCleared();
    } catch {
      // The caller was told of the failure.
      this.#end('failed');
    }
  }
}
