/** The one among several tabs that has the files open: answers its own page and, over a channel, the others. */
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import { areShared } from '../rpc/locks.ts';
import type { Locks } from '../rpc/locks.ts';
import type { Attachment, ChannelMessage, Message } from '../rpc/protocol.ts';
import type { RepoPlace } from './repo-place.ts';
import { memberLock } from '../rpc/protocol.ts';
import type { Send } from '../rpc/peer.ts';
import type { Served } from '../rpc/server.ts';
import { serveRepo } from '../rpc/server.ts';
import { errorName } from '../../core/data/platform-values.ts';

/** How long a leader that goes waits for what it has begun for others. What takes longer they ask of the next one. */
const GRACE_MS = 250;

/** `BroadcastChannel`, as far as it is used. */
export interface Channel {
  postMessage(message: ChannelMessage): void;
}

interface Follower {
  readonly served: Served;
  readonly unwatch: AbortController;
}

export interface LeaderParts {
  /** The member that leads. */
  readonly id: string;
  readonly repo: StoredRepo;
  readonly place: RepoPlace;
  readonly channel: Channel;
  readonly locks: Locks;
  /** Called, maybe more than once. */
  readonly onFailure: (failure: LeaderFailure) => void;
}

/**
 * What ends a leader: its storage has `failed`, and the repository is of use again once it was closed and opened; or
 * the browser has `cleared` the repository away.
 */
export type LeaderFailure = 'cleared' | 'failed';

/** What pages have to know of an open repository. */
export const aboutRepo = async (repo: StoredRepo, { storage }: RepoPlace): Promise<Omit<Attachment, 'generation'>> => ({
  did: repo.did,
  rev: (await repo.head())?.rev,
  storage,
});

export class Leader {
  readonly #parts: LeaderParts;
  readonly #own: Served;
  readonly #followers = new Map<string, Follower>();
  #leaving = false;

  /** @param toPage Carries answers to the page of this worker. */
  constructor(parts: LeaderParts, toPage: (message: Message) => void) {
    this.#parts = parts;
    this.#own = serveRepo(parts.repo, this.#watched(toPage));
  }

  /** Tells the other tabs who leads. */
  async announce(to?: string): Promise<void> {
    const { id, repo, place, channel, onFailure } = this.#parts;
    try {
      // The tab that asks may be about to make the repository anew.
      if (to !== undefined && (await this.#isCleared())) {
        return;
      }
      const known = await aboutRepo(repo, place);
      if (!this.#leaving) {
        channel.postMessage({ kind: 'here', from: id, to, about: known });
      }
    } catch {
      // Whoever asked is told of the next reign, which begins with what went wrong here, or ends with it.
      onFailure('failed');
    }
  }

  /** A message of the page of this worker. */
  receive(message: Message): void {
    // What is asked of a leader that goes is asked again of the next one; answers to its own questions it still needs.
    if (!this.#leaving || message.kind !== 'call') {
      this.#own.receive(message);
    }
  }

  /** A message of another tab. */
  hear(message: ChannelMessage): void {
    if (message.kind === 'hello') {
      this.#welcome(message.from);
    } else if (message.kind === 'message' && message.to === this.#parts.id) {
      if (!this.#leaving || message.message.kind !== 'call') {
        this.#followers.get(message.from)?.served.receive(message.message);
      }
    } else if (message.kind === 'bye' && message.to === this.#parts.id) {
      void this.#farewell(message.from);
    } else if (message.kind === 'away' && message.to === this.#parts.id) {
      this.#drop(message.from);
    }
  }

  /** Resolves when what the page of this worker has asked for has ended. */
  idle(): Promise<void> {
    return this.#own.idle();
  }

  /** Ends what has been begun, or leaves it if that takes long, and closes the repository. */
  async leave(): Promise<void> {
    this.#leaving = true;
    const everybody = [this.#own, ...[...this.#followers.values()].map(({ served }) => served)];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, GRACE_MS)));
    await Promise.race([grace, Promise.all(everybody.map((served) => served.idle()))]);
    clearTimeout(timer);
    for (const member of [...this.#followers.keys()]) {
      this.#drop(member);
    }
    this.#own.end();
    await this.#parts.repo.close();
  }

  #welcome(member: string): void {
    if (this.#leaving || member === this.#parts.id) {
      return;
    }
    const { id, repo, channel, locks } = this.#parts;
    this.#drop(member);
    const served = serveRepo(
      repo,
      this.#watched((message) => channel.postMessage({ kind: 'message', from: id, to: member, message })),
    );
    const unwatch = new AbortController();
    this.#followers.set(member, { served, unwatch });
    this.#watchLife(member, locks, unwatch.signal).catch(ignoreAbort);
    void this.announce(member);
  }

  /** The member holds this lock as long as it lives. When the lock is free, the member is gone. */
  async #watchLife(member: string, locks: Locks, signal: AbortSignal): Promise<void> {
    if (await areShared(locks, memberLock(member))) {
      await locks.request(memberLock(member), { signal }, async () => this.#drop(member));
    }
  }

  /** Whether the browser has cleared the data of the site. The owner is told of it. */
  async #isCleared(): Promise<boolean> {
    const { place, onFailure } = this.#parts;
    try {
      if ((await place.isStored?.()) !== false) {
        return false;
      }
    } catch {
      // A storage that cannot be looked at now may be as it was; what fails in it shows when it is used.
      return false;
    }
    onFailure('cleared');
    return true;
  }

  async #farewell(member: string): Promise<void> {
    const follower = this.#followers.get(member);
    await follower?.served.idle();
    // It may have come back meanwhile, and is another one then.
    if (this.#followers.get(member) === follower) {
      this.#drop(member);
    }
    this.#parts.channel.postMessage({ kind: 'bye', from: this.#parts.id, to: member });
  }

  /** The same, with an eye on answers that tell of a storage that fails: it may have failed for everybody. */
  #watched(send: Send): Send {
    return (message) => {
      send(message);
      if (
        message.kind === 'failure' &&
        (message.error.code === 'StorageFailed' || message.error.code === 'StorageFull')
      ) {
        void this.#examine();
      }
    };
  }

  async #examine(): Promise<void> {
    const { repo, onFailure } = this.#parts;
    try {
      await repo.head();
      // Blobs have a connection of their own where they are in IndexedDB.
      for await (const _ of repo.blobs()) {
        break;
      }
      await this.#isCleared();
    } catch {
      // What it says was said to whoever asked for more.
      onFailure('failed');
    }
  }

  #drop(member: string): void {
    const follower = this.#followers.get(member);
    this.#followers.delete(member);
    follower?.unwatch.abort();
    follower?.served.end();
  }
}

/** For a request of a lock that was given up by whoever made it. */
export const ignoreAbort = (error: unknown): void => {
  if (errorName(error) !== 'AbortError') {
    throw error;
  }
};
