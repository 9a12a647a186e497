/**
 * One page's use of a repository, in that page's worker. A member leads and has the files open, or follows and forwards
 * the messages between its page and the leader.
 */
import { RepoError } from '../../core/errors.ts';
import type { StoredRepo } from '../../core/repo/stored-records.ts';
import { toErrorData } from '../rpc/error-data.ts';
import type { Locks } from '../rpc/locks.ts';
import type { Attachment, ChannelMessage, FromPage, FromWorker, Message } from '../rpc/protocol.ts';
import { createHeartbeat } from './heartbeat.ts';
import { Leader } from './leader.ts';
import type { Channel } from './leader.ts';
import type { LeaderFailure } from './leadership.ts';
import { clearedError, lead } from './leadership.ts';
import type { RepoPlace } from './repo-place.ts';

/** The number of the one call that is the member's and not the page's: the request to leave. */
const GOODBYE = -1;

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
  /** To the page. */
  readonly port: MessagePort;
  /** Called when the page has no use of the repository any more. */
  onEnd(): void;
}

/** The leader is this member, another one by its name, or not known. */
type Role = Leader | string | undefined;

export class Member {
  readonly #parts: MemberParts;
  readonly #heartbeat = createHeartbeat(
    () => this.#ping(),
    () => this.#tellSilence(),
  );
  #role: Role;
  #generation = 0;
  /** The DID of a repository that is still to be made. */
  #did: string | undefined;
  /** Ends the wait for the lock of the leader, or the leadership; `undefined` while away. */
  #queue: AbortController | undefined;
  #timeout: ReturnType<typeof setTimeout> | undefined;
  /** Holds the leader's lock, and is opening the files. */
  #isOpening = false;
  #leaderSaidBye = (): void => {};
  #isEnded = false;

  constructor(parts: MemberParts) {
    this.#parts = parts;
    this.#did = parts.did;
    parts.channel.onmessage = ({ data }) => this.#hear(data);
    parts.port.onmessage = ({ data }: MessageEvent<FromPage>) => this.#receive(data);
  }

  /** Looks for the leader, or leads. */
  join(): void {
    const { waitMs } = this.#parts;
    this.#timeout = setTimeout(() => this.#fail(this.#silenceError(` waitMs=${waitMs}`)), waitMs);
    this.#look();
  }

  /** A message of the page. */
  #receive(message: FromPage): void {
    if (this.#isEnded) {
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
          this.#forward(message.message);
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
    lead({
      place,
      locks,
      signal: queue.signal,
      open: () => (this.#generation === 0 ? place.open(this.#did) : undefined),
      onTurn: () => {
        clearTimeout(this.#timeout);
        // The last leader has ended. A page that waits for its last word need not.
        this.#leaderSaidBye();
        this.#role = undefined;
      },
      onOpening: (isOpening) => (this.#isOpening = isOpening),
      reign: (repo) => this.#reign(repo, queue.signal),
    }).catch((error: unknown) => {
      // The wait for the lock was given up, or the lock or the repository fails.
      if (!queue.signal.aborted) {
        this.#fail(error);
      }
    });
    this.#parts.channel.postMessage({ kind: 'hello', from: id });
  }

  async #reign(repo: StoredRepo, signal: AbortSignal): Promise<LeaderFailure | undefined> {
    const { id, locks, place, channel } = this.#parts;
    this.#did = undefined;
    const about = async (): Promise<Omit<Attachment, 'generation'>> => ({
      did: repo.did,
      rev: (await repo.head())?.rev,
      storage: place.storage,
    });
    const known = await about();
    // The page may have gone while the repository was opened.
    if (signal.aborted) {
      return undefined;
    }
    const leader = new Leader({
      id,
      repo,
      place,
      channel,
      locks,
      about,
      toPage: (message) => this.#toPage({ kind: 'message', message }),
    });
    this.#role = leader;
    this.#attach(known);
    await leader.announce();
    const failure = await leader.over;
    if (failure === 'cleared') {
      this.#fail(clearedError(place.name));
    } else if (failure === 'failed') {
      await leader.leave().catch(() => {
        // The storage has failed, and fails once more when it is closed.
      });
    }
    return failure;
  }

  #hear(message: ChannelMessage): void {
    const { id } = this.#parts;
    const role = this.#role;
    if (this.#isEnded || this.#queue === undefined) {
      return;
    }
    if (message.kind === 'ping') {
      if (role instanceof Leader || this.#isOpening) {
        this.#parts.channel.postMessage({ kind: 'pong', from: id, to: message.from });
      }
    } else if (role instanceof Leader) {
      role.hear(message);
    } else if (message.kind === 'here' && message.to === undefined) {
      // It may be the same one, with the files opened anew: what the page says until it follows is sent again then.
      this.#role = undefined;
      this.#leaderSaidBye();
      this.#parts.channel.postMessage({ kind: 'hello', from: id });
    } else if ('to' in message && message.to === id) {
      if (message.kind === 'here') {
        this.#follow(message.from, message.about);
      } else if (message.kind === 'pong') {
        this.#heartbeat.heard();
      } else if (message.from === role && message.kind === 'bye') {
        this.#leaderSaidBye();
      } else if (message.from === role && message.kind === 'message') {
        this.#heartbeat.heard();
        if (message.message.kind === 'reply' || message.message.kind === 'failure') {
          this.#heartbeat.replied(message.message.id);
        }
        this.#toPage({ kind: 'message', message: message.message });
      }
    }
  }

  #follow(leader: string, about: Omit<Attachment, 'generation'>): void {
    const { place } = this.#parts;
    clearTimeout(this.#timeout);
    if (this.#did !== undefined) {
      this.#fail(new RepoError('RepoExists', `the repository exists: use openRepo; name=${place.name}`));
      return;
    }
    this.#role = leader;
    void place.prepare();
    this.#attach(about);
  }

  #attach(about: Omit<Attachment, 'generation'>): void {
    this.#generation += 1;
    // The page sends the calls that wait again.
    this.#heartbeat.forget();
    this.#toPage({ kind: 'attached', attachment: { ...about, generation: this.#generation } });
  }

  #toPage(message: FromWorker): void {
    this.#parts.port.postMessage(message);
  }

  /** Forwards a message of the page. */
  #forward(message: Message): void {
    const { id } = this.#parts;
    if (this.#role instanceof Leader) {
      this.#role.receive(id, message);
      return;
    }
    if (message.kind === 'call') {
      this.#heartbeat.asked(message.id);
    }
    if (this.#role !== undefined) {
      this.#parts.channel.postMessage({ kind: 'message', from: id, to: this.#role, message });
    }
  }

  #ping(): void {
    if (this.#isOpening) {
      this.#heartbeat.heard();
    } else {
      this.#parts.channel.postMessage({ kind: 'ping', from: this.#parts.id });
    }
  }

  #tellSilence(): void {
    this.#toPage({ kind: 'silent', error: toErrorData(this.#silenceError()) });
    this.#leaderSaidBye();
  }

  #silenceError(waited = ''): RepoError {
    const message = `the tab that has the repository open does not reply; name=${this.#parts.place.name}${waited}`;
    return new RepoError('Locked', message);
  }

  /** The page goes out of sight, and may be frozen: no other tab must wait for it. */
  async #leave(): Promise<void> {
    const role = this.#role;
    clearTimeout(this.#timeout);
    this.#heartbeat.pause();
    this.#queue?.abort();
    this.#queue = undefined;
    this.#role = undefined;
    // Also for one that is about to lead, and has the files half open.
    this.#parts.place.hurry();
    if (role instanceof Leader) {
      await this.#endReign(role);
    } else if (role !== undefined) {
      this.#parts.channel.postMessage({ kind: 'away', from: this.#parts.id, to: role });
      this.#leaderSaidBye();
    }
  }

  async #endReign(leader: Leader): Promise<void> {
    try {
      await leader.leave();
    } finally {
      leader.abdicate();
    }
  }

  async #close(): Promise<void> {
    const role = this.#role;
    try {
      if (role instanceof Leader) {
        await role.idle();
        await this.#endReign(role);
      } else if (role !== undefined) {
        const bye = new Promise<void>((resolve) => (this.#leaderSaidBye = resolve));
        this.#heartbeat.asked(GOODBYE);
        this.#parts.channel.postMessage({ kind: 'bye', from: this.#parts.id, to: role });
        await bye;
      }
      this.#end({ kind: 'closed' });
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#end({ kind: 'failed', error: toErrorData(error) });
  }

  #end(last: FromWorker): void {
    if (this.#isEnded) {
      return;
    }
    this.#isEnded = true;
    clearTimeout(this.#timeout);
    this.#heartbeat.forget();
    this.#toPage(last);
    this.#queue?.abort();
    if (this.#role instanceof Leader) {
      this.#role.abdicate();
    }
    this.#parts.channel.close();
    this.#parts.onEnd();
  }
}
