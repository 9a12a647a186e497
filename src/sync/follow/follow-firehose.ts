/** Applies the events of the account's host, one by one. */
import { RepoError } from '../../core/errors.ts';
import type { AppliedEvent } from '../../core/repo/proof/applied-event.ts';
import type { Account } from '../identity/account.ts';
import { assertPublicUrl, parseUrl } from '../http/public-url.ts';
import { hostAt } from '../pull/host.ts';
import { knownAccount, refreshAccount } from '../pull/known-account.ts';
import { latestCommit } from '../pull/latest-commit.ts';
import { cursorAt, cursorMeta, saveCursor } from './cursor.ts';
import type { Following, FollowUpdate } from './follow-updates.ts';
import type { HostHead } from '../pull/latest-commit.ts';
import type { Message, Notice } from './frames.ts';
import { decodeFrame, mentions } from './frames.ts';
import { Socket } from './socket.ts';

/** Milliseconds without a message after which a copy that is behind pulls. */
const QUIET = 2000;
/** Milliseconds between two stores of a cursor that no event of the account moves. */
const CURSOR_MS = 30_000;
/** Milliseconds between two lookups of an account whose events have a bad signature. */
const LOOKUP_MS = 30_000;

type Announced = Extract<Message, { readonly event: unknown }>;

const streamUrl = (pds: string, cursor: number | undefined): string => {
  const url = parseUrl('/xrpc/com.atproto.sync.subscribeRepos', parseUrl(pds));
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:';
  if (cursor !== undefined) {
    url.searchParams.set('cursor', String(cursor));
  }
  return url.href;
};

/** One connection to the host of an account. */
class Connection {
  readonly #following: Following;
  readonly #did: Uint8Array;
  #account: Account;
  #socket: Socket;
  #seq: number | undefined;
  #savedAt = Date.now();
  /** The head of the host that the copy does not have yet. */
  #target: HostHead | undefined;

  constructor(following: Following, account: Account, socket: Socket, cursor: number | undefined) {
    this.#following = following;
    this.#account = account;
    this.#socket = socket;
    this.#seq = cursor;
    this.#did = new TextEncoder().encode(following.repo.did);
  }

  get #host(): string {
    return this.#account.pds;
  }

  /** Yields what happens until the connection ends. */
  async *run(): AsyncGenerator<FollowUpdate, void> {
    const { signal, enter, checkMs, pullNow } = this.#following;
    yield enter('catchingUp');
    yield* this.#compare();
    let checkedAt = Date.now();
    while (!signal.aborted) {
      const frame = await this.#socket.next(
        this.#target !== undefined ? QUIET : Math.max(0, checkedAt + checkMs - Date.now()),
      );
      if (frame === undefined) {
        if (!signal.aborted) {
          throw new RepoError(
            'HostUnreachable',
            `the host has closed the connection: connect again; host=${this.#host}`,
          );
        }
      } else if (frame === 'idle') {
        checkedAt = Date.now();
        if (this.#target !== undefined) {
          this.#target = undefined;
          yield* pullNow();
        } else {
          yield* this.#compare();
        }
        await this.#saveCursor();
      } else if (typeof frame !== 'string') {
        yield* this.#receive(frame);
      }
    }
    await this.#saveCursor();
  }

  async #saveCursor(): Promise<void> {
    this.#savedAt = Date.now();
    if (this.#seq !== undefined && this.#seq !== (await cursorAt(this.#following.repo, this.#host))) {
      await saveCursor(this.#following.repo, this.#host, this.#seq);
    }
  }

  /** Compares the head with that of the host. */
  async *#compare(): AsyncGenerator<FollowUpdate, void> {
    const { repo, options, signal, enter, pullNow } = this.#following;
    const host = hostAt(repo, this.#account, { ...options, signal });
    const latest = await latestCommit(host).catch(() => undefined);
    const head = await repo.head();
    this.#target = undefined;
    if (latest !== undefined && head?.cid.toString() === latest.cid) {
      yield enter('live');
    } else if (latest === undefined || head === undefined || this.#seq === undefined) {
      yield* pullNow();
    } else {
      // The events since the cursor arrive by themselves.
      this.#target = latest;
    }
  }

  async *#receive(frame: Uint8Array): AsyncGenerator<FollowUpdate, void> {
    const isOld = Date.now() - this.#savedAt > CURSOR_MS;
    if (!mentions(frame, this.#did) && frame.length > 200 && !isOld) {
      return;
    }
    const message = decodeFrame(frame);
    if (message.type === 'notice') {
      yield* this.#notice(message);
    } else if (message.type !== 'unknown') {
      if (message.did === this.#following.repo.did) {
        yield* this.#handle(message);
      }
      this.#seq = message.seq;
      if (isOld) {
        await this.#saveCursor();
      }
    }
  }

  async *#notice({ isError, name, text }: Notice): AsyncGenerator<FollowUpdate, void> {
    const { repo, enter, pullNow } = this.#following;
    if (name === 'FutureCursor') {
      // The host has lost its events, or is another one at the same address.
      await saveCursor(repo, this.#host, undefined);
    }
    if (isError) {
      throw new RepoError('HostUnreachable', `the host has ended the connection: connect again; ${name}: ${text}`);
    }
    if (name === 'OutdatedCursor') {
      yield enter('resyncing', name);
      this.#target = undefined;
      yield* pullNow();
    }
  }

  async *#handle(message: Exclude<Message, Notice | { readonly type: 'unknown' }>): AsyncGenerator<FollowUpdate, void> {
    const { enter, pullNow } = this.#following;
    if (message.type === 'identity') {
      await this.#lookUp();
    } else if (message.type === 'account') {
      if (message.active) {
        yield* pullNow();
      } else {
        yield enter('inactive', message.status);
        await this.#lookUp();
      }
    } else if ('event' in message) {
      yield* this.#apply(message);
    }
  }

  /** Looks the account up again, and continues with it. Ends the connection if its host is another one. */
  async #lookUp(): Promise<void> {
    const { repo, options, signal } = this.#following;
    const account = await refreshAccount(repo, { ...options, signal });
    if (account.pds !== this.#host) {
      throw new RepoError('HostUnreachable', `the account has moved: connect to its new host; host=${account.pds}`);
    }
    this.#account = account;
  }

  /** Looks the account up again, at most once in 30 s, and returns whether its key has changed. */
  async #hasNewKey(): Promise<boolean> {
    const { key, fetchedAt } = this.#account;
    if (Date.now() - fetchedAt < LOOKUP_MS) {
      return false;
    }
    await this.#lookUp();
    return this.#account.key !== key;
  }

  async #applyOnce({ seq, event }: Announced): Promise<AppliedEvent> {
    return this.#following.repo.applyEvent(event, { key: this.#account.key, meta: cursorMeta(this.#host, seq) });
  }

  async *#apply(message: Announced): AsyncGenerator<FollowUpdate, void> {
    const { repo, enter, pullNow } = this.#following;
    const before = await repo.head();
    let applied = await this.#applyOnce(message);
    if (applied.outcome === 'invalid') {
      // The key may have changed. It is looked up once.
      applied = (await this.#hasNewKey()) ? await this.#applyOnce(message) : applied;
    }
    const { outcome, commit, changes, reason } = applied;
    if (outcome === 'applied' && commit !== undefined) {
      yield { type: 'change', from: before, to: commit, changes, via: 'event' };
    } else if (outcome !== 'ignored') {
      yield enter('resyncing', reason);
      this.#target = undefined;
      yield* pullNow();
    }
    const { rev = '' } = this.#target ?? {};
    if (this.#target !== undefined && (commit?.cid.toString() === this.#target.cid || message.event.rev > rev)) {
      yield* this.#compare();
    }
  }
}

/** The events of the account's host. Ends when the signal aborts, and throws when the connection ends. */
export async function* followFirehose(following: Following): AsyncGenerator<FollowUpdate, void> {
  const { repo, options, signal, webSocket } = following;
  const account = await knownAccount(repo, { ...options, signal });
  assertPublicUrl(parseUrl(account.pds), options.allowPrivate);
  const cursor = await cursorAt(repo, account.pds);
  const socket = new Socket(streamUrl(account.pds, cursor), webSocket());
  const stop = (): void => socket.close();
  signal.addEventListener('abort', stop);
  try {
    await socket.opened();
    yield* new Connection(following, account, socket, cursor).run();
  } finally {
    signal.removeEventListener('abort', stop);
    socket.close();
  }
}
