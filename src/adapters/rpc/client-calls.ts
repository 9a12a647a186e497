/**
 * The calls of one page to one repository at the other end of a port: what is sent again after a failover, and the
 * newest rev that the page has heard of.
 */
import type { Signer } from '../../core/crypto/signer.ts';
import { reportingErrors } from '../../core/data/report-error.ts';
import { RepoError } from '../../core/errors.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import type { Entry } from '../../core/repo/method-tables.ts';
import type { WriteRequest } from '../../core/repo/write/write-request.ts';
import type { ClientMethods, ServerMethods } from './methods.ts';
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

/** An error of a listener is the listener's, and no reply to the other end. */
const wireWork = ({ onProgress, ...rest }: LongWork): LongWork =>
  onProgress === undefined ? rest : { ...rest, onProgress: reportingErrors(onProgress) };

/** A signer stays in the page: its method crosses as a function, and its key as a text. */
const wireSigner = (signer: Signer): object => ({
  sign: (bytes: Uint8Array<ArrayBuffer>) => signer.sign(bytes),
  did: signer.did?.(),
});

export class ClientCalls {
  readonly peer: Peer<ServerMethods, ClientMethods>;
  readonly #signer: Signer | undefined;
  readonly #name = uniqueName();
  #numbers = 0;
  #rev: string | undefined;
  #isClosed = false;
  /** What ended the connection, where that was not `close`. */
  #loss: unknown;

  /**
   * @param signer Signs the commits of the page.
   * @param onChange Called with each new head, if the page has subscribed.
   */
  constructor(send: Send, signer: Signer | undefined, onChange: ClientMethods['change']) {
    this.#signer = signer;
    this.peer = new Peer<ServerMethods, ClientMethods>(send, { change: async (change) => onChange(change) });
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
    this.peer.end(error);
  }

  /** Waits for the replies to all calls, then runs `hangUp`. The streams that the page offers fail at once. */
  async close(hangUp: () => Promise<void>): Promise<void> {
    const closed = new RepoError('Closed', 'the repository is closed: open it again');
    this.#isClosed = true;
    // A stream that gives nothing would never end by itself.
    this.peer.failStreams(closed);
    await this.peer.settled();
    try {
      await hangUp();
    } finally {
      this.peer.end(closed);
    }
  }

  assertOpen(): void {
    if (this.#isClosed) {
      throw new RepoError(
        'Closed',
        'the repository is closed: open it again',
        this.#loss === undefined ? {} : { cause: this.#loss },
      );
    }
  }

  async call<K extends keyof ServerMethods>(
    method: K,
    params: Parameters<ServerMethods[K]>,
    again?: 'lost',
  ): Promise<ReturnType<ServerMethods[K]>> {
    this.assertOpen();
    return this.peer.call(method, params, again);
  }

  /** Calls a method that returns a stream, and yields its items. */
  async *open<T>(method: string, params: readonly unknown[], options?: LongWork): AsyncGenerator<T> {
    this.assertOpen();
    yield* this.peer.open(method, options ? [...params, wireWork(options)] : params) as AsyncGenerator<T>;
  }

  /** Sends a call whose reply nobody waits for. A server that has ended needs no such call. */
  tell(method: 'leave' | 'unsubscribe', params: Parameters<ServerMethods['leave' | 'unsubscribe']>): void {
    this.call(method, params as never).catch(() => {});
  }

  /**
   * A call of a method with options.
   * @param lead Parameters before those of the method: the name of a branch. Without it, the call is about the head:
   *   the page signs it, and notes its rev.
   */
  async run(
    method: string,
    { way, options: at }: Entry,
    given: readonly unknown[],
    lead: readonly unknown[] = [],
  ): Promise<unknown> {
    this.assertOpen();
    const isOfHead = lead.length === 0;
    const { signer = this.#signer, request, key, ...rest } = ((at !== undefined && given[at]) || {}) as GivenOptions;
    const since = this.#rev;
    const changes = way === 'write' || way === 'once';
    const isSigned = changes && isOfHead && signer !== undefined;
    const name = way === 'write' ? (request ?? { id: this.nameRequest() }) : undefined;
    const params = (again?: WriteRequest['again']): never => {
      const sent = [...given];
      if (at !== undefined) {
        sent[at] = {
          ...wireWork(rest),
          ...(key !== undefined && { key: wireKey(key) }),
          ...(isSigned && { signer: wireSigner(signer) }),
          ...(name && { request: { id: name.id, again: name.again ?? again } }),
        };
      }
      return [...lead, ...sent] as never;
    };
    const again = way === 'once' ? 'lost' : changes ? () => params({ since }) : undefined;
    const reply: unknown = await this.peer.call(method as never, params(), again);
    if (changes && isOfHead && typeof reply === 'object' && reply !== null) {
      const { rev } = ('commit' in reply ? reply.commit : reply) as { readonly rev?: string };
      this.note(rev, way === 'once');
    }
    return reply;
  }

  /** Another server begins: calls that wait are sent to it. */
  moved(send: Send): void {
    this.peer.moved(send);
    // One that has gone by then is followed by the next.
    this.begin().catch(() => {});
  }

  /** Asks a server that begins for the DID, and for the head's rev: after a reset it may be less than before. */
  async begin(): Promise<string> {
    const { did, rev } = await this.call('about', []);
    this.#rev = rev;
    return did;
  }

  /** Takes note of a rev; after a reset, of one that may be less than before. */
  note(rev: string | undefined, reset = false): void {
    if (rev !== undefined && (reset || this.#rev === undefined || rev > this.#rev)) {
      this.#rev = rev;
    }
  }
}
