/** The worker of the tab that has the files open: serves its own page, and those of other tabs over a channel. */
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import { isReleased } from '../rpc/locks.ts';
import type { Locks } from '../rpc/locks.ts';
import type { Send } from '../rpc/peer.ts';
import type { About, ChannelMessage, Message } from '../rpc/protocol.ts';
import { memberLock } from '../rpc/protocol.ts';
import type { Served } from '../rpc/server.ts';
import { serveRepo } from '../rpc/server.ts';
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
  /** The member that leads. */
  readonly id: string;
  readonly repo: StoredRepo;
  readonly place: RepoPlace;
  readonly channel: Channel;
  readonly locks: Locks;
  /** Carries replies to the page of this worker. */
  readonly toPage: Send;
}

interface Client {
  readonly served: Served;
  readonly unwatch: AbortController;
}

export class Leader {
  /** Resolves when the reign is over: to its failure, or to `undefined` after {@link leave}. */
  readonly over: Promise<LeaderFailure | undefined>;
  readonly #parts: LeaderParts;
  /** The page of this worker, and those of the followers, by their members. */
  readonly #clients = new Map<string, Client>();
  #end: (failure?: LeaderFailure) => void = () => {};
  #isLeaving = false;

  constructor(parts: LeaderParts) {
    this.over = new Promise((resolve) => (this.#end = resolve));
    this.#parts = parts;
    this.#serve(parts.id, parts.toPage);
  }

  /** What pages have to know of the repository, now. */
  async about(): Promise<About> {
    const { repo, place } = this.#parts;
    return { did: repo.did, rev: (await repo.head())?.rev, storage: place.storage };
  }

  /** Tells the other tabs, or one of them, who leads. */
  async announce(to?: string): Promise<void> {
    const { id, channel } = this.#parts;
    try {
      // The tab that asks may be about to make the repository anew.
      if (to !== undefined && (await this.#isCleared())) {
        return;
      }
      const about = await this.about();
      if (!this.#isLeaving) {
        channel.postMessage({ kind: 'here', from: id, to, about });
      }
    } catch {
      // The tab that asks hears of the next reign, which begins or ends with this failure.
      this.#end('failed');
    }
  }

  /** A message of a page. */
  receive(member: string, message: Message): void {
    // Calls to a leader that goes are sent to the next one; replies to its own calls it still needs.
    if (!this.#isLeaving || message.kind !== 'call') {
      this.#clients.get(member)?.served.receive(message);
    }
  }

  /** A message of another tab. */
  hear(message: ChannelMessage): void {
    const { kind, from } = message;
    if (kind === 'hello') {
      this.#welcome(from);
    } else if ('to' in message && message.to === this.#parts.id) {
      if (kind === 'message') {
        this.receive(from, message.message);
      } else if (kind === 'away') {
        this.#drop(from);
      }
    }
  }

  /** Ends the reign: ends the calls that run, or leaves them if that takes long, and closes the repository. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, GRACE_MS)));
    await Promise.race([grace, Promise.all([...this.#clients.values()].map(({ served }) => served.idle()))]);
    clearTimeout(timer);
    for (const member of [...this.#clients.keys()]) {
      this.#drop(member);
    }
    try {
      await this.#parts.repo.close();
    } finally {
      this.#end();
    }
  }

  #serve(member: string, send: Send): AbortController {
    // A reply may tell of a storage that fails: it may have failed for every page.
    const watched: Send = (message) => {
      send(message);
      const code = message.kind === 'failure' ? message.error.code : undefined;
      if (code === 'StorageFailed' || code === 'StorageFull') {
        void this.#examine();
      }
    };
    const unwatch = new AbortController();
    this.#drop(member);
    this.#clients.set(member, { served: serveRepo(this.#parts.repo, watched), unwatch });
    return unwatch;
  }

  #welcome(member: string): void {
    const { id, channel, locks } = this.#parts;
    if (this.#isLeaving || member === id) {
      return;
    }
    const { signal } = this.#serve(member, (message) =>
      channel.postMessage({ kind: 'message', from: id, to: member, message }),
    );
    // The member holds this lock as long as it lives.
    void isReleased(locks, memberLock(member), signal).then((isGone) => isGone && this.#drop(member));
    void this.announce(member);
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

  #drop(member: string): void {
    const client = this.#clients.get(member);
    this.#clients.delete(member);
    client?.unwatch.abort();
    client?.served.end();
  }
}
