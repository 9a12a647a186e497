/** The worker of the tab that has the files open: serves the pages of all tabs, its own by a port. */
import { RepoError } from '../../core/errors.ts';
import { pause } from '../../core/data/pause.ts';
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import { isReleased } from '../origin/locks.ts';
import type { Locks } from '../origin/locks.ts';
import { serveRepo } from '../rpc/server.ts';
import { uniqueName } from '../rpc/unique-name.ts';
import type { Channel, ChannelMessage, OpenChannel } from './channel.ts';
import { mailboxName, memberLock } from './channel.ts';
import type { RepoPlace } from './repo-place.ts';

/** How long a leader that goes waits for the calls that it has begun. Calls that take longer go to the next leader. */
const GRACE_MS = 250;

/**
 * Why the reign of a leader is over: its storage has `failed`, and works again once it is closed and opened; the
 * browser has `cleared` the repository away; or its page has `left`.
 */
export type LeaderEnd = 'cleared' | 'failed' | 'left';

export interface LeaderParts {
  /** The name of the page, which no other has. A lock of that name is held until the end: see {@link memberLock}. */
  readonly member: string;
  readonly place: RepoPlace;
  readonly repo: StoredRepo;
  readonly locks: Locks;
  readonly openChannel: OpenChannel;
  /** What all tabs hear. */
  readonly channel: Channel;
  /** The way to the page. The next leader in this worker uses it again. */
  readonly page: Channel;
  /** Aborts when the page has no more use of this worker. */
  readonly signal: AbortSignal;
}

export class Leader {
  /** Resolves when the reign is over. The caller then closes the leader. */
  readonly over: Promise<LeaderEnd>;
  /** The name of this term of leadership. A worker that opens the files again begins another term. */
  readonly #id = uniqueName();
  readonly #parts: LeaderParts;
  readonly #mailbox: Channel;
  /** The pages that have joined. */
  readonly #clients = new Map<string, { readonly peer: ReturnType<typeof serveRepo>; end(): void }>();
  #end: (end: LeaderEnd) => void = () => {};
  #isClosing = false;

  constructor(parts: LeaderParts) {
    this.over = new Promise((resolve) => (this.#end = resolve));
    this.#parts = parts;
    this.#mailbox = parts.openChannel(mailboxName(this.#id));
    [this.#mailbox, parts.page].forEach((channel) => {
      channel.onmessage = ({ data }) => this.#hear(data);
    });
    parts.signal.addEventListener('abort', () => this.#end('left'), { once: true });
    [parts.page, parts.channel].forEach((channel) => channel.postMessage({ kind: 'here', from: this.#id }));
  }

  /** A page looks for the leader. It may be about to create the repository again, if the browser has cleared it. */
  async greet(member: string): Promise<void> {
    if (await this.#isSound(false)) {
      this.#admit(member);
    }
  }

  /** Ends the calls that run, or leaves them if that takes long, and closes the repository. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#parts.signal.aborted) {
      // The page waits for no reply, and may be about to be frozen.
      this.#drop(this.#parts.member);
    }
    const all = [...this.#clients.values()];
    await Promise.race([pause(GRACE_MS, undefined), Promise.all(all.map(({ peer }) => peer.idle()))]);
    all.forEach((client) => client.end());
    await this.#parts.repo.close().finally(() => this.#mailbox.close());
  }

  /** A message of a page. */
  #hear(data: ChannelMessage): void {
    if (data.kind === 'join') {
      this.#admit(data.from);
    } else if (data.kind === 'message' && !(this.#isClosing && data.message.kind === 'call')) {
      // Calls to a leader that goes are sent to the next one; replies to its own calls it still needs.
      this.#clients.get(data.from)?.peer.receive(data.message);
    }
  }

  /** A page asks each time that it hears of a leader. It joins once. */
  #admit(member: string): void {
    const { locks, openChannel, page, place, repo } = this.#parts;
    if (this.#isClosing || this.#clients.has(member)) {
      return;
    }
    const channel = member === this.#parts.member ? page : openChannel(mailboxName(member));
    const peer = serveRepo(repo, place.storage, (message) => {
      channel.postMessage({ kind: 'message', from: this.#id, message });
      // A reply may tell of a storage that fails: it may have failed for every page.
      const code = message.kind === 'reply' ? message.error?.code : undefined;
      if (code === 'StorageFailed' || code === 'StorageFull') {
        void this.#isSound(true);
      }
    });
    const watch = new AbortController();
    const end = (): void => {
      watch.abort();
      peer.end(new RepoError('Closed', 'the page of this call was closed: open the repository again'));
      channel.close();
    };
    this.#clients.set(member, { peer, end });
    // The worker of the page holds this lock as long as it lives.
    void isReleased(locks, memberLock(member), watch.signal).then((isGone) => isGone && this.#drop(member));
    channel.postMessage({ kind: 'welcome', from: this.#id });
  }

  #drop(member: string): void {
    this.#clients.get(member)?.end();
    this.#clients.delete(member);
  }

  /**
   * Returns whether the storage works and is still there. If not, the reign is over, and other tabs hear of the next.
   * @param alsoBlobs Blobs have a connection of their own where they are in IndexedDB.
   */
  async #isSound(alsoBlobs: boolean): Promise<boolean> {
    const { place, repo } = this.#parts;
    try {
      await repo.head();
      for await (const _ of alsoBlobs ? repo.blobs() : []) {
        break;
      }
    } catch {
      // The caller of the method that failed was told of the failure.
      this.#end('failed');
      return false;
    }
    // A storage that cannot be examined now may be as it was. A failure shows when it is used.
    const isStored = await place.isStored?.().catch(() => true);
    if (isStored === false) {
      this.#end('cleared');
    }
    return isStored !== false;
  }
}
