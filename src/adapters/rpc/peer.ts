/**
 * One of two ends that ask each other: calls, their replies and streams, over a port or a channel that keeps the order
 * of messages.
 */
import { RepoError } from '../../core/errors.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import { createErrorBook } from './error-data.ts';
import type { Message } from './protocol.ts';
import type { OfferOptions, WireStream } from './streams.ts';
import { OfferedStreams, pullItems } from './streams.ts';
import { pack, unpack } from './wire-values.ts';

/** The calls that an end serves: names with the shapes of parameters and replies. */
type Methods<M> = { readonly [K in keyof M]: (...params: never[]) => unknown };

/** What a call brings beside its parameters. */
export interface CallContext {
  /** Aborts when the other end says so, or has ended. */
  readonly signal: AbortSignal;
  /** Left out where the other end does not listen. */
  readonly onProgress: LongWork['onProgress'];
  /** Keeps the signal and the progress after the reply, until the returned function is called. */
  keep(): () => void;
}

/** One function for each method. */
export type Handlers<M extends Methods<M>> = {
  readonly [K in keyof M]: (context: CallContext, ...params: Parameters<M[K]>) => Promise<ReturnType<M[K]>>;
};

export type Send = (message: Message) => void;

export interface CallOptions<P> extends LongWork {
  /**
   * Which parameters a call is sent with again, when the other end was replaced before it replied. Left out, the same.
   * `lost`: the call rejects with `OutcomeUnknown`, because its outcome is unknown.
   */
  readonly moved?: 'lost' | (() => P) | undefined;
  /** The call changes data: when no end is left that could reply, it rejects with `OutcomeUnknown`. */
  readonly changes?: boolean | undefined;
}

/** Streams in both directions. */
export type StreamEnd = Pick<Peer<object, object>, 'offer' | 'take' | 'withdraw'>;

interface Pending extends LongWork {
  readonly method: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly moved: 'lost' | (() => readonly unknown[]);
  readonly changes: boolean;
}

const outcomeUnknown = (method: string, cause?: unknown): RepoError =>
  new RepoError('OutcomeUnknown', `the tab that has the repository open has not replied; method=${method}`, { cause });

/** Calls the methods of `Asked`, and serves those of `Served`. */
export class Peer<Asked extends Methods<Asked>, Served extends Methods<Served>> {
  readonly #handlers: Handlers<Served>;
  readonly #onChange: (change: unknown) => void;
  readonly #errors = createErrorBook();
  readonly #offered = new OfferedStreams();
  readonly #pending = new Map<number, Pending>();
  /** Of calls, also while a stream that they returned is read. */
  readonly #progress = new Map<number, NonNullable<LongWork['onProgress']>>();
  readonly #running = new Map<number, AbortController>();
  readonly #works = new Set<Promise<void>>();
  #send: Send;
  #calls = 0;
  #end: { readonly error: unknown } | undefined;

  constructor(send: Send, handlers: Handlers<Served>, onChange: (change: unknown) => void = () => {}) {
    this.#send = send;
    this.#handlers = handlers;
    this.#onChange = onChange;
  }

  /**
   * Asks the other end. Rejects with what the other end rejects with; an aborted `signal` is passed on, and the reply
   * waited for, because it says whether anything has happened.
   */
  async call<K extends keyof Asked & string>(
    method: K,
    params: Parameters<Asked[K]>,
    options: CallOptions<Parameters<Asked[K]>> = {},
  ): Promise<ReturnType<Asked[K]>> {
    const { reply, release } = this.#ask(method, params, options);
    try {
      return (await reply) as ReturnType<Asked[K]>;
    } finally {
      release();
    }
  }

  /** Calls a method that returns a stream, and yields its items. Signal and progress last as long as the stream. */
  async *open(method: string, params: readonly unknown[], options: LongWork = {}): AsyncGenerator<unknown> {
    const { reply, release } = this.#ask(method, params, options);
    try {
      yield* this.take((await reply) as WireStream, { signal: options.signal });
    } finally {
      release();
    }
  }

  offer(items: AsyncIterable<unknown>, options?: OfferOptions): WireStream {
    return this.#offered.offer(items, options);
  }

  withdraw(stream: WireStream): Promise<void> {
    return this.#offered.withdraw(stream);
  }

  /**
   * The items of a stream of the other end. Throws {@link lostStream} when that end was replaced.
   * @param options With `waits`, leaving it ends when the source has ended.
   */
  take(
    { '/stream': name }: WireStream,
    { signal, waits = false }: { readonly signal?: AbortSignal | undefined; readonly waits?: boolean } = {},
  ): AsyncGenerator<unknown> {
    const ask = (method: 'cancel' | 'pull'): Promise<unknown> => this.call(method as never, [name] as never);
    return pullItems(
      async () => {
        signal?.throwIfAborted();
        return (await ask('pull')) as Awaited<ReturnType<OfferedStreams['pull']>>;
      },
      () => {
        // An end that was closed has no stream to end.
        const cancelled = ask('cancel').catch(() => {});
        return waits ? cancelled : undefined;
      },
    );
  }

  /** Has every stream that this end offers fail. */
  failStreams(error: unknown): void {
    this.#offered.fail(error);
  }

  /** Tells the other end of a new head. */
  tell(change: unknown): void {
    if (this.#end === undefined) {
      this.#send({ kind: 'change', change: pack(change) });
    }
  }

  receive(message: Message): void {
    if (this.#end !== undefined) {
      return;
    }
    switch (message.kind) {
      case 'abort':
        this.#running.get(message.id)?.abort(this.#errors.toError(message.reason));
        break;
      case 'reply':
        this.#settle(message.id)?.resolve(unpack(message.value));
        break;
      case 'call':
        this.#run(message);
        break;
      case 'change':
        this.#onChange(unpack(message.change));
        break;
      case 'failure':
        this.#settle(message.id)?.reject(this.#errors.toError(message.error));
        break;
      case 'progress':
        this.#progress.get(message.id)?.(message.progress);
        break;
    }
  }

  /** The other end has been replaced: calls without a reply go to the new one, or are given up. */
  moved(send: Send): void {
    this.#send = send;
    this.#stop(new RepoError('Closed', 'the tab that had the repository open was closed'));
    const again = 'the tab that had the repository open went away while a stream was read, which cannot be read again';
    this.#offered.fail(new RepoError('OutcomeUnknown', again));
    for (const [id, pending] of [...this.#pending]) {
      const { method, moved, reject } = pending;
      if (moved === 'lost') {
        this.#pending.delete(id);
        reject(outcomeUnknown(method));
      } else {
        this.#sendCall(id, pending, moved());
      }
    }
  }

  /**
   * The other end does not reply, and may resume at any time. Calls that wait reject with `error`, a change with
   * `OutcomeUnknown`; later replies are ignored.
   */
  giveUp(error: unknown): void {
    this.#rejectAll(error, true);
  }

  /** Resolves when everything that the other end asked for so far has ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#works);
  }

  /**
   * Ends it: calls that wait reject with `error`, what runs for the other end is aborted with it, and streams end. If
   * the other end is `gone`, a change that waits rejects with `OutcomeUnknown` instead.
   */
  end(error: unknown, { gone = false }: { readonly gone?: boolean } = {}): void {
    if (this.#end !== undefined) {
      return;
    }
    this.#end = { error };
    this.#stop(error);
    this.#offered.end();
    this.#rejectAll(error, gone);
  }

  #rejectAll(error: unknown, isUnreplied: boolean): void {
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { method, changes, reject } of waiting) {
      reject(isUnreplied && changes ? outcomeUnknown(method, error) : error);
    }
  }

  #ask(
    method: string,
    params: readonly unknown[],
    { signal, onProgress, moved = () => params, changes = false }: CallOptions<readonly unknown[]>,
  ): { readonly reply: Promise<unknown>; readonly release: () => void } {
    if (this.#end !== undefined) {
      throw this.#end.error;
    }
    signal?.throwIfAborted();
    const id = this.#calls++;
    const abort = (): void => this.#send({ kind: 'abort', id, reason: this.#errors.toData(signal?.reason) });
    signal?.addEventListener('abort', abort, { once: true });
    if (onProgress !== undefined) {
      this.#progress.set(id, onProgress);
    }
    const release = (): void => {
      signal?.removeEventListener('abort', abort);
      this.#progress.delete(id);
      this.#pending.delete(id);
    };
    const reply = new Promise<unknown>((resolve, reject) => {
      const pending: Pending = { method, resolve, reject, signal, onProgress, moved, changes };
      this.#pending.set(id, pending);
      try {
        this.#sendCall(id, pending, params);
      } catch (cause) {
        reject(new TypeError(`an argument cannot be sent to a worker; method=${method}`, { cause }));
      }
    });
    return { reply, release };
  }

  /**
   * A call that was aborted is sent all the same when the other end is replaced: the reply says what has happened, and
   * nothing is undone.
   */
  #sendCall(id: number, { method, signal, onProgress }: Pending, params: readonly unknown[]): void {
    const aborted = signal?.aborted === true ? this.#errors.toData(signal.reason) : undefined;
    this.#send({ kind: 'call', id, method, params: params.map(pack), tells: onProgress !== undefined, aborted });
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #stop(reason: unknown): void {
    for (const controller of this.#running.values()) {
      controller.abort(reason);
    }
    this.#running.clear();
  }

  #run({ id, method, params, tells, aborted }: Message & { kind: 'call' }): void {
    const controller = new AbortController();
    if (aborted !== undefined) {
      controller.abort(this.#errors.toError(aborted));
    }
    this.#running.set(id, controller);
    // The reply goes to the end that asked, and not to one that has replaced it meanwhile.
    const send = this.#send;
    const reply = (message: Message): void => {
      if (this.#end === undefined && send === this.#send) {
        send(message);
      }
    };
    const forget = (): void => {
      if (this.#running.get(id) === controller) {
        this.#running.delete(id);
      }
    };
    let isKept = false;
    const context: CallContext = {
      signal: controller.signal,
      onProgress: tells ? (progress) => reply({ kind: 'progress', id, progress }) : undefined,
      keep() {
        isKept = true;
        return forget;
      },
    };
    const work = this.#handle(method, params, context)
      .then((value) => reply({ kind: 'reply', id, value: pack(value) }))
      .catch((error: unknown) => reply({ kind: 'failure', id, error: this.#errors.toData(error) }))
      .finally(() => {
        this.#works.delete(work);
        if (!isKept) {
          forget();
        }
      });
    this.#works.add(work);
  }

  async #handle(method: string, params: readonly unknown[], context: CallContext): Promise<unknown> {
    if (method === 'pull') {
      return this.#offered.pull(params[0] as string);
    }
    if (method === 'cancel') {
      return this.#offered.withdraw({ '/stream': params[0] as string });
    }
    if (!Object.hasOwn(this.#handlers, method)) {
      throw new RepoError('StorageFailed', `the page and its worker are of different versions; method=${method}`);
    }
    const handler = this.#handlers[method as keyof Served] as (
      context: CallContext,
      ...params: unknown[]
    ) => Promise<unknown>;
    return handler(context, ...params.map(unpack));
  }
}
