/**
 * The calls of one page to one repository at the other end of a port: what is asked, what is asked again after a
 * failover, and the newest rev that the page has heard of.
 */
import { RepoError } from '../../core/errors.ts';
import type { WriteOptions } from '../../core/repo/repo.ts';
import { createClientWrites } from './client-writes.ts';
import type { ClientWrites, WritesOptions } from './client-writes.ts';
import type { CallOptions, Send } from './peer.ts';
import { Peer } from './peer.ts';
import type { ClientMethods, Message, ServerMethods, WireWriteOptions } from './protocol.ts';
import type { OfferedSources } from './sources.ts';
import { createOfferedSources } from './sources.ts';

export type WriteMethod =
  | 'branchDelete'
  | 'branchPut'
  | 'branchWrite'
  | 'commit'
  | 'delete'
  | 'put'
  | 'restore'
  | 'write';

/** Options of a call that would do something else the second time. */
export const UNREPEATABLE = { moved: 'lost', changes: true } as const;

export class ClientCalls {
  readonly sources: OfferedSources = createOfferedSources();
  readonly writes: ClientWrites;
  readonly #peer: Peer<ServerMethods, ClientMethods>;
  #rev: string | undefined;
  #isClosed = false;
  /** What ended the connection, where that was not `close`. */
  #loss: unknown;

  /**
   * @param rev The head's rev when the page connected.
   * @param onEvent Called with each message of the other end that is no reply.
   */
  constructor(send: Send, options: WritesOptions, rev: string | undefined, onEvent: (event: unknown) => void) {
    this.#rev = rev;
    this.writes = createClientWrites(options);
    this.#peer = new Peer<ServerMethods, ClientMethods>(
      send,
      {
        pull: (_, source) => this.sources.pull(source),
        cancel: (_, source) => this.sources.cancel(source),
        sign: (_, by, bytes) => this.writes.sign(by, bytes),
      },
      onEvent,
    );
  }

  /** The newest rev that this page has heard of. */
  get rev(): string | undefined {
    return this.#rev;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  receive(message: Message): void {
    this.#peer.receive(message);
  }

  /** Somebody else replies from now on. */
  moved(send: Send): void {
    this.#peer.moved(send);
  }

  /** Rejects the calls that wait; later ones are sent as before. */
  giveUp(error: unknown): void {
    this.#peer.giveUp(error);
  }

  /** The other end is gone: all calls that wait, and all that follow, reject. */
  lost(error: unknown): void {
    this.#loss = error;
    this.#isClosed = true;
    this.#peer.end(error, { gone: true });
  }

  /** Runs `hangUp`, then ends every call. What the page was offering as a stream ends at once. */
  async close(hangUp: () => Promise<void>): Promise<void> {
    const closed = new RepoError('Closed', 'the repository is closed');
    this.#isClosed = true;
    // What is being read from this page would never end by itself.
    this.sources.fail(closed);
    try {
      await hangUp();
    } finally {
      // Nobody is left to ask whether a change that was not answered has happened.
      this.#peer.end(closed, { gone: true });
    }
  }

  assertOpen(): void {
    if (this.#isClosed) {
      throw new RepoError('Closed', 'the repository is closed', this.#loss === undefined ? {} : { cause: this.#loss });
    }
  }

  async call<K extends keyof ServerMethods>(
    method: K,
    params: Parameters<ServerMethods[K]>,
    options?: CallOptions<Parameters<ServerMethods[K]>>,
  ): Promise<ReturnType<ServerMethods[K]>> {
    this.assertOpen();
    return this.#peer.call(method, params, options);
  }

  /** Sends a call whose reply nobody waits for. A server that is gone has forgotten what this was about. */
  tell(method: 'leave' | 'unsubscribe', params: Parameters<ServerMethods['leave' | 'unsubscribe']>): void {
    this.call(method, params as never).catch(() => {});
  }

  /** A call that makes a commit: it has a name, so that it is made once though it may be sent twice. */
  async write<K extends WriteMethod>(
    method: K,
    params: (options: WireWriteOptions) => Parameters<ServerMethods[K]>,
    options: WriteOptions,
    revOf: (answer: ReturnType<ServerMethods[K]>) => string | undefined,
  ): Promise<ReturnType<ServerMethods[K]>> {
    const write = this.writes.prepare(options, this.#rev);
    try {
      const answer = await this.call(method, params(write.options()), {
        changes: true,
        moved: () => {
          write.askAgain();
          return params(write.options());
        },
      });
      this.note(revOf(answer));
      return answer;
    } finally {
      write.done();
    }
  }

  /** The head's rev as another end says: after a reset it may be less than before. */
  noteHead(rev: string | undefined): void {
    this.#rev = rev;
  }

  /** Takes note of a rev; after a reset, of one that may be less than before. */
  note(rev: string | undefined, reset = false): void {
    if (rev !== undefined && (reset || this.#rev === undefined || rev > this.#rev)) {
      this.#rev = rev;
    }
  }
}
