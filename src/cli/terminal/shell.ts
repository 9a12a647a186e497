/** What the command sees of the process that runs it. Tests hand in another one. */
import type { Readable, Writable } from 'node:stream';

export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The shell, and how the command line said that it wants its answers. */
export interface Context extends Shell {
  /** `--json`: one JSON value, or one a line for lists. Known once the command line has been read. */
  readonly json: boolean;
}

/** Writes, and waits while whoever reads is behind. Rejects with `EPIPE` once nobody reads any more. */
export const writeTo = (stream: Writable, chunk: string | Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
