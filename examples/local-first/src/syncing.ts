/** Sends changes of the notes to the account's server, and fetches changes from it. */
import { isRepoError } from 'pdsdb';
import type { PushResult, Session } from 'pdsdb/sync';
import { follow, pull } from 'pdsdb/sync';
import type { AccountNotebook } from './account-notebook.ts';
import type { KeptAccount } from './kept-account.ts';
import { networkOf } from './kept-account.ts';

/** Milliseconds until a push that the server did not receive, or did not accept yet, is tried again. */
const RETRY_MS = 30_000;

export type SyncState = 'failed' | 'sending' | PushResult['status'];

export class Syncing {
  readonly #notebook: AccountNotebook;
  readonly #account: KeptAccount;
  readonly #onState: () => void;
  readonly #end = new AbortController();
  #session: Session | undefined;
  #isWanted = false;
  #running: Promise<void> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Ends the current `follow`, also in a pause between two connections. The next one connects at once. */
  #wake: AbortController | undefined;
  #isOffline = false;
  state: SyncState = 'done';
  /** The error behind `state`, or `undefined`. */
  error: unknown;

  /** @param onState Called after each change of `state`. */
  constructor(notebook: AccountNotebook, account: KeptAccount, onState: () => void) {
    this.#notebook = notebook;
    this.#account = account;
    this.#onState = onState;
  }

  get hasSession(): boolean {
    return this.#session !== undefined;
  }

  /** Begins to push and to follow, until `stop`. */
  start(session: Session | undefined): void {
    const { signal } = this.#end;
    addEventListener('online', () => void this.now(), { signal });
    const remove = this.#notebook.onWrite(() => {
      if (this.hasSession) {
        void this.now();
      }
    });
    signal.addEventListener('abort', remove);
    this.use(session);
    void this.#followAlone();
  }

  /** Continues with another session, or without one: changes then wait. */
  use(session: Session | undefined): void {
    this.#session = session;
    void this.now();
  }

  /** Sends and fetches now. Calls during a run make it run once more. */
  now(): Promise<void> {
    this.#isWanted = true;
    if (this.#isOffline) {
      this.#wake?.abort();
    }
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Stops, and waits for the run that has begun. */
  async stop(): Promise<void> {
    this.#end.abort();
    clearTimeout(this.#retry);
    await this.#running;
  }

  #enter(state: SyncState, error?: unknown): void {
    this.state = state;
    this.error = error;
    this.#onState();
  }

  async #run(): Promise<void> {
    const { signal } = this.#end;
    while (this.#isWanted && !signal.aborted) {
      this.#isWanted = false;
      clearTimeout(this.#retry);
      this.#enter('sending');
      try {
        const { status, resetAt, error } = await this.#once();
        this.#enter(status, error);
        if (status === 'unreachable' || status === 'rateLimited') {
          this.#retry = setTimeout(() => void this.now(), Math.max(RETRY_MS, (resetAt ?? 0) - Date.now()));
        }
      } catch (error) {
        if (!signal.aborted) {
          this.#enter('failed', error);
        }
      }
    }
  }

  /** Pushes of all tabs wait for each other: `push` holds a Web Lock. */
  async #once(): Promise<Pick<PushResult, 'error' | 'resetAt' | 'status'>> {
    const { signal } = this.#end;
    const pullNow = () => pull(this.#notebook.repo, { ...networkOf(this.#account), blobs: false, signal });
    if (this.#session !== undefined) {
      return this.#notebook.outbox.push({ session: this.#session, signal, pull: pullNow });
    }
    try {
      const { status } = await pullNow();
      return { status: status === 'inactive' ? 'inactive' : 'done' };
    } catch (error) {
      if (isRepoError(error, 'HostUnreachable') || isRepoError(error, 'HostFailed')) {
        return { status: 'unreachable', error };
      }
      throw error;
    }
  }

  /** One tab follows for all tabs: the one that holds the lock. When it closes, another tab gets the lock. */
  async #followAlone(): Promise<void> {
    const { signal } = this.#end;
    try {
      await navigator.locks.request(`notes.follow:${this.#account.did}`, { signal }, () => this.#follow());
    } catch (error) {
      if (!signal.aborted) {
        this.#enter('failed', error);
      }
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await this.#followUntil(AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  async #followUntil(signal: AbortSignal): Promise<void> {
    // The firehose of a large server has the events of all its accounts. Jetstream sends those of one account.
    const source = this.#account.pdsUrl === undefined ? 'jetstream' : 'firehose';
    const options = { ...networkOf(this.#account), signal, blobs: false, source } as const;
    for await (const update of follow(this.#notebook.repo, options)) {
      if (update.type === 'state' && update.state === 'offline') {
        this.#isOffline = true;
      } else if (update.type === 'state' && update.state === 'live' && this.#isOffline) {
        this.#isOffline = false;
        // The server can be reached again.
        await this.#pushIfWaiting();
      }
    }
  }

  async #pushIfWaiting(): Promise<void> {
    if (this.state === 'unreachable' || this.state === 'failed') {
      await this.now();
    }
  }
}
