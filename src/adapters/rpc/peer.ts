/**
 * One of two ends that ask each other: calls and their replies, over a port or a channel that keeps the order of
 * messages. Functions and streams among the parameters last as long as the call, a stream that is returned until it is
 * read.
 */
import { RepoError } from '../../core/errors.ts';
import { ErrorBook, goneError, versionError } from './error-data.ts';
import type { Message } from './protocol.ts';
import { unpack } from './received-values.ts';
import { MAX_PAGE_BYTES, MAX_SOURCE_PAGE_BYTES, Scope } from './sent-values.ts';

/** The calls that an end serves. A function is called with the message, and not later. */
type Methods<M> = { readonly [K in keyof M]: (...params: never[]) => Promise<unknown> };

type Handler = (...params: unknown[]) => unknown;

export type Send = (message: Message) => void;

/**
 * The parameters with which a call that changes data is sent again, when the other end was replaced before it replied.
 * `lost`: the call is not sent again, and rejects with `OutcomeUnknown`. Calls that only read are sent as they were.
 */
export type Again<P> = 'lost' | (() => P);

interface Pending {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly again: Again<readonly unknown[]> | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What the other end can call until the reply. */
  readonly scope: Scope;
}

interface Running {
  readonly controller: AbortController;
  /** What the other end can call after the reply. */
  readonly scope: Scope;
  /** Resolves after the reply. */
  readonly work: Promise<void>;
}

const outcomeUnknown = (method: string, cause?: unknown): RepoError =>
  new RepoError(
    'OutcomeUnknown',
    `the tab that has the repository open has not replied: read the repository, then try again; method=${method}`,
    { cause },
  );

/** Calls the methods of `Asked`, and serves those of `Served`. */
export class Peer<Asked extends Methods<Asked>, Served extends Methods<Served>> {
  readonly #handlers: Served;
  readonly #errors = new ErrorBook();
  /** What the other end can call by name, while it is in a scope. */
  readonly #references = new Map<string, Handler>();
  readonly #pending = new Map<number, Pending>();
  #running = new Map<number, Running>();
  /** Of calls that wait for their replies. */
  readonly #replies = new Set<Promise<unknown>>();
  readonly #callBack: Parameters<typeof unpack>[1] = (name, params) => this.call(name as never, params as never);
  #send: Send;
  #calls = 0;
  /** What new calls reject with. */
  #refusal: { readonly error: unknown } | undefined;
  #hasEnded = false;

  constructor(send: Send, handlers: Served) {
    this.#send = send;
    this.#handlers = handlers;
  }

  /**
   * Asks the other end. Rejects with what the other end rejects with; an aborted signal among the parameters is passed
   * on, and the reply waited for, because it says whether anything has happened.
   */
  async call<K extends keyof Asked & string>(
    method: K,
    params: Parameters<Asked[K]>,
    again?: Again<Parameters<Asked[K]>>,
  ): Promise<Awaited<ReturnType<Asked[K]>>> {
    const asked = this.#ask(method, params, again);
    try {
      return (await asked.next()).value as Awaited<ReturnType<Asked[K]>>;
    } finally {
      await asked.return(undefined);
    }
  }

  /** Calls a method that returns a stream, and yields its items. The call lasts as long as the stream. */
  async *open<T>(method: string, params: readonly unknown[]): AsyncGenerator<T> {
    for await (const items of this.#ask(method, params)) {
      yield* items as AsyncIterable<T>;
    }
  }

  /** Whether new calls reject. */
  get isClosed(): boolean {
    return this.#refusal !== undefined;
  }

  /** Whether a call waits for its reply. */
  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  /** Throws what new calls reject with. */
  assertOpen(): void {
    if (this.#refusal !== undefined) {
      throw this.#refusal.error;
    }
  }

  /** Has new calls reject. Resolves when the others have their replies. The streams among their parameters fail. */
  async close(error: unknown): Promise<void> {
    this.#refusal ??= { error };
    // A stream that gives nothing would never end by itself.
    this.#failStreams(error);
    await Promise.allSettled(this.#replies);
  }

  receive(message: Message): void {
    if (this.#hasEnded) {
      return;
    }
    switch (message.kind) {
      case 'abort':
        this.#running.get(message.id)?.controller.abort(this.#errors.toError(message.reason));
        break;
      case 'call':
        this.#run(message);
        break;
      case 'reply':
        this.#settle(message);
        break;
    }
  }

  /** The other end has been replaced: calls without a reply go to the new one, or are given up. */
  moved(send: Send): void {
    this.#send = send;
    this.#stop(new RepoError('Closed', 'the tab that had the repository open was closed: call again'));
    const again = 'the tab that had the repository open was closed while it read a stream: pass a new stream';
    this.#failStreams(new RepoError('OutcomeUnknown', again));
    for (const [id, pending] of this.#pending) {
      const { method, params, again: changed, reject } = pending;
      if (changed === 'lost') {
        reject(outcomeUnknown(method));
      } else {
        this.#sendCall(id, pending, changed?.() ?? params);
      }
    }
  }

  /**
   * The other end does not reply, and may resume at any time. Calls that wait reject with `error`, a change with
   * `OutcomeUnknown`; later replies are ignored.
   */
  giveUp(error: unknown): void {
    for (const { method, again, reject } of this.#pending.values()) {
      reject(again === undefined ? error : outcomeUnknown(method, error));
    }
    this.#pending.clear();
  }

  /** Resolves when everything that the other end asked for so far has ended. */
  async idle(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ work }) => work));
  }

  /** Ends it: calls that wait are given up, what runs for the other end is aborted with the error, and streams end. */
  end(error: unknown): void {
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#refusal ??= { error };
      this.#stop(error);
      this.giveUp(error);
    }
  }

  #failStreams(error: unknown): void {
    this.#pending.forEach(({ scope }) => scope.fail(error));
  }

  /** Sends a call, and yields its reply. What the parameters refer to lasts until the iteration ends. */
  async *#ask(
    method: string,
    params: readonly unknown[],
    again?: Again<readonly unknown[]>,
  ): AsyncGenerator<unknown, undefined, undefined> {
    this.assertOpen();
    const id = this.#calls++;
    const scope = new Scope(this.#references, MAX_SOURCE_PAGE_BYTES);
    const abort = (): void => {
      // The other end may wait for an item of a stream.
      scope.fail(scope.signal?.reason);
      this.#send({ kind: 'abort', id, reason: this.#errors.toData(scope.signal?.reason) });
    };
    const reply = new Promise<unknown>((resolve, reject) => {
      const pending: Pending = { method, params, again, resolve, reject, scope };
      this.#pending.set(id, pending);
      this.#sendCall(id, pending, params, true);
      scope.signal?.addEventListener('abort', abort, { once: true });
    });
    this.#replies.add(reply);
    try {
      yield await reply;
    } finally {
      scope.signal?.removeEventListener('abort', abort);
      this.#pending.delete(id);
      this.#replies.delete(reply);
      scope.release();
    }
  }

  /**
   * A call that was aborted is sent all the same when the other end is replaced: the reply says what has happened, and
   * nothing is undone. Throws what the call rejects with.
   */
  #sendCall(id: number, { method, scope }: Pending, given: readonly unknown[], isFirst = false): void {
    const params = given.map((param) => scope.pack(param));
    const { signal } = scope;
    if (isFirst) {
      signal?.throwIfAborted();
    }
    const aborted = signal?.aborted === true ? this.#errors.toData(signal.reason) : undefined;
    try {
      this.#send({ kind: 'call', id, method, params, aborted });
    } catch (cause) {
      throw new TypeError(`an argument cannot be sent to a worker: pass plain values or bytes; method=${method}`, {
        cause,
      });
    }
  }

  #settle({ id, value, error }: Message & { readonly kind: 'reply' }): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (error === undefined) {
      pending?.resolve(unpack(value, this.#callBack));
    } else {
      pending?.reject(this.#errors.toError(error));
    }
  }

  #stop(reason: unknown): void {
    const running = this.#running;
    // The next end numbers its calls from the start.
    this.#running = new Map();
    for (const { controller, scope } of running.values()) {
      controller.abort(reason);
      scope.release();
    }
  }

  #run({ id, method, params, aborted }: Message & { readonly kind: 'call' }): void {
    const controller = new AbortController();
    if (aborted !== undefined) {
      controller.abort(this.#errors.toError(aborted));
    }
    const running = this.#running;
    const scope = new Scope(this.#references, MAX_PAGE_BYTES, () => running.delete(id));
    const reply = (make: () => Pick<Message & { readonly kind: 'reply' }, 'error' | 'value'>): void => {
      // The reply goes to the end that asked, and not to one that has replaced it meanwhile.
      if (running === this.#running) {
        this.#send({ kind: 'reply', id, ...make() });
      }
    };
    const work = this.#handle(method, params, controller.signal)
      .then((value) => reply(() => ({ value: scope.pack(value) })))
      .catch((error: unknown) => reply(() => ({ error: this.#errors.toData(error) })))
      .finally(() => scope.isEmpty && running.delete(id));
    running.set(id, { controller, scope, work });
  }

  async #handle(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    const own = Object.hasOwn(this.#handlers, method) ? this.#handlers[method as keyof Served] : undefined;
    const handler = this.#references.get(method) ?? (own as Handler | undefined);
    if (handler === undefined) {
      throw method.startsWith('/') ? goneError() : versionError(`method=${method}`);
    }
    return handler(...params.map((param) => unpack(param, this.#callBack, signal)));
  }
}
