/**
 * The calls of one page to one repository at the other end of a port: what is sent again after a failover, the signers
 * that stay in the page, and the newest rev that the page has heard of.
 */
import type { Signer } from '../../core/crypto/signer.ts';
import { RepoError } from '../../core/errors.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import type { WriteRequest } from '../../core/repo/write/write-request.ts';
import type { ClientMethods, Entry, ServerMethods, WireSigner } from './methods.ts';
import type { Send } from './peer.ts';
import { Peer } from './peer.ts';
import { uniqueName } from './unique-name.ts';

/** The fields of options that do not cross as they are. */
interface GivenOptions extends LongWork {
  readonly signer?: Signer | undefined;
  readonly request?: WriteRequest | undefined;
  readonly key?: unknown;
}

/** A DID document goes as its JSON, because it may hold what cannot be cloned. The other end reads it. */
const wireKey = (key: unknown): unknown =>
  typeof key === 'object' && key !== null && !Array.isArray(key) ? JSON.stringify(key) : key;

export class ClientCalls {
  readonly peer: Peer<ServerMethods, ClientMethods>;
  readonly #signer: Signer | undefined;
  readonly #name = uniqueName();
  readonly #signers = new Map<number, Signer>();
  #numbers = 0;
  #rev: string | undefined;
  #isClosed = false;
  /** What ended the connection, where that was not `close`. */
  #loss: unknown;

  /**
   * @param signer Signs the commits of the page.
   * @param rev The head's rev when the page connected.
   * @param onEvent Called with each other message of the other end.
   */
  constructor(send: Send, signer: Signer | undefined, rev: string | undefined, onEvent: (event: unknown) => void) {
    this.#rev = rev;
    this.#signer = signer;
    this.peer = new Peer<ServerMethods, ClientMethods>(
      send,
      {
        sign: async (_, by, bytes) => {
          const found = this.#signers.get(by);
          if (found === undefined) {
            throw new RepoError('Closed', 'the write that is to be signed has ended');
          }
          return found.sign(bytes);
        },
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

  /** A number that this page has not used. */
  number(): number {
    return this.#numbers++;
  }

  /** A name for a write that may be sent twice. */
  nameRequest(): string {
    return `${this.#name}.${this.number()}`;
  }

  /** The other end has ended: all calls that wait, and all that follow, reject. */
  lost(error: unknown): void {
    this.#loss = error;
    this.#isClosed = true;
    this.peer.end(error, { gone: true });
  }

  /** Runs `hangUp`, then ends every call. The streams that the page offers end at once. */
  async close(hangUp: () => Promise<void>): Promise<void> {
    const closed = new RepoError('Closed', 'the repository is closed');
    this.#isClosed = true;
    // A stream that gives nothing would never end by itself.
    this.peer.failStreams(closed);
    try {
      await hangUp();
    } finally {
      // No end is left that knows the outcome of a change without a reply.
      this.peer.end(closed, { gone: true });
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
    moved?: 'lost',
  ): Promise<ReturnType<ServerMethods[K]>> {
    this.assertOpen();
    return this.peer.call(method, params, { moved });
  }

  /** Sends a call whose reply nobody waits for. A server that has ended needs no such call. */
  tell(method: 'leave' | 'unsubscribe', params: Parameters<ServerMethods['leave' | 'unsubscribe']>): void {
    this.call(method, params as never).catch(() => {});
  }

  /**
   * A call of a method with options.
   * @param isOfHead The call is about the head: the page signs it, and notes its rev.
   */
  async run(method: string, entry: Entry, given: readonly unknown[], isOfHead = true): Promise<unknown> {
    this.assertOpen();
    const { way, options: at } = entry;
    const { signal, onProgress, signer, request, ...rest } = ((at !== undefined && given[at]) || {}) as GivenOptions;
    const since = this.#rev;
    const number = this.number();
    const changes = way === 'write' || way === 'once';
    const by = changes && isOfHead && at !== undefined ? (signer ?? this.#signer) : undefined;
    const name = way === 'write' ? (request ?? { id: this.nameRequest() }) : undefined;
    if (by !== undefined) {
      this.#signers.set(number, by);
    }
    const params = (again?: WriteRequest['again']): never => {
      const sent = [...given];
      if (at !== undefined) {
        sent[at] = {
          ...rest,
          ...('key' in rest && { key: wireKey(rest.key) }),
          ...(by && { signer: { '/signer': number, did: by.did?.() } satisfies WireSigner }),
          ...(name && { request: { id: name.id, again: name.again ?? again } }),
        };
      }
      return sent as never;
    };
    try {
      const moved = way === 'once' ? 'lost' : () => params({ since });
      const reply: unknown = await this.peer.call(method as never, params(), { signal, onProgress, changes, moved });
      if (changes && isOfHead && typeof reply === 'object' && reply !== null) {
        const { rev } = ('commit' in reply ? reply.commit : reply) as { readonly rev?: string };
        this.note(rev, way === 'once');
      }
      return reply;
    } finally {
      this.#signers.delete(number);
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
