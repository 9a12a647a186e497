/** One of two ends that ask each other: calls and their answers over something that carries messages, in order. */
import { RepoError } from '../../core/errors.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import { createErrorBook } from './error-data.ts';
import type { ErrorBook } from './error-data.ts';
import type { Message } from './protocol.ts';
import { pack, unpack } from './wire-values.ts';

/** What an end can be asked: names with the shapes of questions and answers. */
type Methods<M> = { readonly [K in keyof M]: (...params: never[]) => unknown };

/** What a call brings beside its parameters. */
export interface CallContext {
  /** Aborts when the other end says so, or is gone. */
  readonly signal: AbortSignal;
  readonly onProgress: NonNullable<LongWork['onProgress']>;
}

/** One function a method. */
export type Handlers<M extends Methods<M>> = {
  readonly [K in keyof M]: (context: CallContext, ...params: Parameters<M[K]>) => Promise<ReturnType<M[K]>>;
};

export type Send = (message: Message) => void;

export interface CallOptions<P> extends LongWork {
  /**
   * What becomes of the call when the other end is replaced before it has answered: it is asked again with what this
   * answers. Left out, with the same. `lost`: nobody can tell what happened, and it rejects with `OutcomeUnknown`.
   */
  readonly moved?: 'lost' | (() => P) | undefined;
  /** The call changes something: when nobody is left who could answer it, it rejects with `OutcomeUnknown`. */
  readonly changes?: boolean | undefined;
}

interface Pending {
  readonly method: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: LongWork['onProgress'];
  readonly signal: LongWork['signal'];
  readonly moved: 'lost' | (() => readonly unknown[]);
  readonly changes: boolean;
}

const outcomeUnknown = (method: string, cause?: unknown): RepoError =>
  new RepoError('OutcomeUnknown', `whoever had the repository open has not answered; method=${method}`, { cause });

/** Asks for `Asked`, answers for `Answered`. */
export class Peer<Asked extends Methods<Asked>, Answered extends Methods<Answered>> {
  readonly #handlers: Handlers<Answered>;
  readonly #onChange: (change: unknown) => void;
  readonly #errors: ErrorBook = createErrorBook();
  readonly #pending = new Map<number, Pending>();
  readonly #running = new Map<number, AbortController>();
  readonly #works = new Set<Promise<void>>();
  #send: Send;
  #calls = 0;
  #end: { readonly error: unknown } | undefined;

  constructor(send: Send, handlers: Handlers<Answered>, onChange: (change: unknown) => void = () => {}) {
    this.#send = send;
    this.#handlers = handlers;
    this.#onChange = onChange;
  }

  /**
   * Asks the other end. Rejects with what the other end rejects with; an aborted `signal` is passed on, and the answer
   * waited for, because it says whether anything has happened.
   */
  call<K extends keyof Asked & string>(
    method: K,
    params: Parameters<Asked[K]>,
    options: CallOptions<Parameters<Asked[K]>> = {},
  ): Promise<ReturnType<Asked[K]>> {
    const { signal, onProgress, moved = () => params, changes = false } = options;
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        throw this.#end.error;
      }
      signal?.throwIfAborted();
      const id = this.#calls++;
      const abort = (): void => this.#send({ kind: 'abort', id, reason: this.#errors.toData(signal?.reason) });
      const settled = (): void => signal?.removeEventListener('abort', abort);
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.set(id, {
        method,
        resolve: (value) => (settled(), resolve(value as ReturnType<Asked[K]>)),
        reject: (error) => (settled(), reject(error as Error)),
        onProgress,
        signal,
        moved,
        changes,
      });
      try {
        this.#ask(id, method, params);
      } catch (cause) {
        this.#pending.delete(id);
        settled();
        throw new TypeError(`what was given cannot be sent to a worker; method=${method}`, { cause });
      }
    });
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
      case 'answer':
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
        this.#pending.get(message.id)?.onProgress?.(message.progress);
        break;
    }
  }

  /** The other end has been replaced: what it has not answered is asked of the new one, or given up. */
  moved(send: Send): void {
    this.#send = send;
    this.#stop(new RepoError('Closed', 'the tab that had the repository open is gone'));
    for (const [id, { method, moved, reject, signal }] of [...this.#pending]) {
      if (moved === 'lost') {
        this.#pending.delete(id);
        reject(outcomeUnknown(method));
        continue;
      }
      this.#ask(id, method, moved(), signal);
    }
  }

  /**
   * The other end does not answer, and may go on at any time. What waits for it rejects with `error`, a change with
   * `OutcomeUnknown`; answers that come later are ignored. The next call may have more luck.
   */
  giveUp(error: unknown): void {
    this.#rejectAll(error, true);
  }

  /** Resolves when everything that the other end asked for so far has ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#works);
  }

  /**
   * Ends it: what waits for an answer rejects with `error`, what runs for the other end is aborted with it. If the
   * other end is `gone`, a change that waits rejects with `OutcomeUnknown` instead.
   */
  end(error: unknown, { gone = false }: { readonly gone?: boolean } = {}): void {
    if (this.#end !== undefined) {
      return;
    }
    this.#end = { error };
    this.#stop(error);
    this.#rejectAll(error, gone);
  }

  #rejectAll(error: unknown, isUnanswered: boolean): void {
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { method, changes, reject } of waiting) {
      reject(isUnanswered && changes ? outcomeUnknown(method, error) : error);
    }
  }

  /**
   * A call that was aborted is asked all the same when the other end is replaced: what has happened is told, and not
   * undone.
   */
  #ask(id: number, method: string, params: readonly unknown[], signal?: AbortSignal): void {
    const aborted = signal?.aborted === true ? this.#errors.toData(signal.reason) : undefined;
    this.#send({ kind: 'call', id, method, params: params.map(pack), aborted });
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

  #run({ id, method, params, aborted }: Message & { kind: 'call' }): void {
    const controller = new AbortController();
    if (aborted !== undefined) {
      controller.abort(this.#errors.toError(aborted));
    }
    this.#running.set(id, controller);
    // Where the question came from the answer goes, and not to an end that has taken that one's place meanwhile.
    const send = this.#send;
    const answer = (message: Message): void => {
      if (this.#end === undefined && send === this.#send) {
        send(message);
      }
    };
    const work = this.#handle(method, params, {
      signal: controller.signal,
      onProgress: (progress) => answer({ kind: 'progress', id, progress }),
    })
      .then((value) => answer({ kind: 'answer', id, value: pack(value) }))
      .catch((error: unknown) => answer({ kind: 'failure', id, error: this.#errors.toData(error) }))
      .finally(() => {
        this.#works.delete(work);
        if (this.#running.get(id) === controller) {
          this.#running.delete(id);
        }
      });
    this.#works.add(work);
  }

  async #handle(method: string, params: readonly unknown[], context: CallContext): Promise<unknown> {
    if (!Object.hasOwn(this.#handlers, method)) {
      throw new RepoError('StorageFailed', `the page and its worker are of different versions; method=${method}`);
    }
    const handler = this.#handlers[method as keyof Answered] as (
      context: CallContext,
      ...params: unknown[]
    ) => Promise<unknown>;
    return handler(context, ...params.map(unpack));
  }
}
