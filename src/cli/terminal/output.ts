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

const write = (stream: Writable, chunk: string | Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });

/** An {@link Output} over a stream of the process. It keeps no state. */
export const createOutput = (stream: Writable & { readonly isTTY?: boolean }): Output => {
  const isTTY = stream.isTTY === true;
  return {
    isTTY,
    text: (text) => write(stream, printableLines(text)),
    async bytes(chunk) {
      if (isTTY) {
        throw new CommandError(
          'InvalidRequest',
          'Binary data is not written to a terminal. Give -o <file>, or send the output to a file or a pipe.',
        );
      }
      await write(stream, chunk);
    },
    status(line) {
      if (isTTY) {
        stream.write(`${CLEAR_LINE}${line === undefined ? '' : printableLines(line)}`);
      }
    },
  };
};
