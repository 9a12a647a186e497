/** Writes to standard output and standard error. The verbs use no other way. */
import type { Writable } from 'node:stream';
import { CommandError } from './command-error.ts';
import { printableLines } from './printable.ts';

const CLEAR_LINE = '\r\u001b[2K';

/** Standard output or standard error. Only `status` writes control characters, and only `bytes` writes binary data. */
export interface Output {
  /** Whether it is a terminal. */
  readonly isTTY: boolean;
  /**
   * Writes text. Escapes control characters, except line breaks and tabs. Waits for the reader. Rejects with `EPIPE` if
   * the reader has ended.
   */
  text(text: string): Promise<void>;
  /**
   * Writes bytes unchanged. Waits and rejects as `text` does.
   * @throws {CommandError} `InvalidRequest` if this is a terminal.
   */
  bytes(chunk: Uint8Array): Promise<void>;
  /** Replaces the last line of a terminal; `undefined` clears it. Does nothing if this is not a terminal. */
  status(line: string | undefined): void;
}

const write = (stream: Writable, chunk: string | Uint8Array, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    // Ctrl-C must end the command even if the reader has stopped reading.
    const stop = (): void => reject(signal!.reason as Error);
    signal?.addEventListener('abort', stop, { once: true });
    stream.write(chunk, (error) => {
      signal?.removeEventListener('abort', stop);
      if (error) {
        reject(error);
      } else {
        resolve();
      }
    });
  });

/** Returns an {@link Output} over a stream of the process. Writes reject once `signal` is aborted. */
export const createOutput = (stream: Writable & { readonly isTTY?: boolean }, signal?: AbortSignal): Output => {
  const isTTY = stream.isTTY === true;
  return {
    isTTY,
    text: (text) => write(stream, printableLines(text), signal),
    async bytes(chunk) {
      if (isTTY) {
        throw new CommandError(
          'InvalidRequest',
          'Binary data is not written to a terminal. Give -o <file>, or redirect the output to a file or a pipe.',
        );
      }
      await write(stream, chunk, signal);
    },
    status(line) {
      if (isTTY) {
        stream.write(`${CLEAR_LINE}${line === undefined ? '' : printableLines(line)}`);
      }
    },
  };
};
