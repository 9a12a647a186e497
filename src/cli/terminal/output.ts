/** The one way for anything to standard output and standard error. */
import type { Writable } from 'node:stream';
import { CommandError } from './command-error.ts';
import { printableLines } from './printable.ts';

const CLEAR_LINE = '\r\u001b[2K';

/** Standard output or standard error. Control characters reach it only through `status`, and files through `bytes`. */
export interface Output {
  /** Whether a person looks at it. */
  readonly isTTY: boolean;
  /**
   * Writes text; control characters in it, but for line ends and tabs, are escaped. Waits while the reader is behind.
   * Rejects with `EPIPE` when nobody reads.
   */
  text(text: string): Promise<void>;
  /**
   * Writes bytes as they are. Waits and rejects as `text` does.
   * @throws {CommandError} `InvalidRequest` when this is a terminal.
   */
  bytes(chunk: Uint8Array): Promise<void>;
  /** Replaces the last line of a terminal; `undefined` clears it. Does nothing elsewhere. */
  status(line: string | undefined): void;
}

const write = (stream: Writable, chunk: string | Uint8Array, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    // A reader that has stopped reading, and goes on living, must not keep Ctrl-C from ending the command.
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

/** An {@link Output} over a stream of the process. It keeps no state. Once `signal` is aborted it rejects. */
export const createOutput = (stream: Writable & { readonly isTTY?: boolean }, signal?: AbortSignal): Output => {
  const isTTY = stream.isTTY === true;
  return {
    isTTY,
    text: (text) => write(stream, printableLines(text), signal),
    async bytes(chunk) {
      if (isTTY) {
        throw new CommandError(
          'InvalidRequest',
          'Binary data is not written to a terminal. Give -o <file>, or send the output to a file or a pipe.',
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
