/** A WebSocket that is read message by message. */
import { isBytes } from '../../core/data/platform-values.ts';
import { RepoError } from '../../core/errors.ts';

/** Most bytes that wait for their reader. A reader that is slower is disconnected, and continues from its cursor. */
export const MAX_WAITING: number = 64 * 1024 * 1024;
/** Milliseconds until a connection must be open. */
const OPEN_TIMEOUT = 10_000;

/** The constructor of a WebSocket: the platform's, or that of the package `ws`. */
export type WebSocketClass = new (url: string) => WebSocketLike;

/** The members of a WebSocket that are used. */
export interface WebSocketLike {
  binaryType: string;
  addEventListener(type: 'close' | 'error' | 'message' | 'open', listener: (event: any) => void): void;
  close(code?: number): void;
}

/** Returns the WebSocket of the platform. Node has one since version 22. */
export const platformWebSocket = (): WebSocketClass => {
  const { WebSocket } = globalThis as { readonly WebSocket?: unknown };
  if (typeof WebSocket !== 'function') {
    throw new RepoError(
      'Unsupported',
      'this platform has no WebSocket: pass that of the package ws as the option WebSocket',
    );
  }
  return WebSocket as WebSocketClass;
};

export class Socket {
  readonly #socket: WebSocketLike;
  readonly #waiting: (string | Uint8Array)[] = [];
  #size = 0;
  #isClosed = false;
  #wake: () => void = () => undefined;
  readonly #opened: Promise<void>;

  constructor(url: string, Class: WebSocketClass) {
    const socket = new Class(url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#opened = new Promise((resolve, reject) => {
      const { host } = new URL(url);
      const fail = (): void => {
        clearTimeout(timer);
        reject(
          new RepoError(
            'HostUnreachable',
            `no WebSocket to the host: check the connection and try again; host=${host}`,
          ),
        );
        this.close();
      };
      const timer = setTimeout(fail, OPEN_TIMEOUT);
      socket.addEventListener('open', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.addEventListener('error', fail);
      socket.addEventListener('close', fail);
    });
    this.#opened.catch(() => undefined);
    socket.addEventListener('message', ({ data }: { readonly data: unknown }) => this.#receive(data));
  }

  /** @throws {RepoError} `HostUnreachable` when no connection is made within 10 s. */
  opened(): Promise<void> {
    return this.#opened;
  }

  #receive(data: unknown): void {
    const message = typeof data === 'string' ? data : isBytes(data) ? data : new Uint8Array(data as ArrayBuffer);
    this.#size += message.length;
    this.#waiting.push(message);
    if (this.#size > MAX_WAITING) {
      this.close();
    }
    this.#wake();
  }

  /** Returns the next message; `idle` if none arrives in time; `undefined` once the connection is closed. */
  async next(waitMs: number): Promise<string | Uint8Array | 'idle' | undefined> {
    if (this.#waiting.length === 0 && !this.#isClosed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const message = this.#waiting.shift();
    this.#size -= message?.length ?? 0;
    return message ?? (this.#isClosed ? undefined : 'idle');
  }

  close(): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#socket.close();
    }
    this.#wake();
  }
}
