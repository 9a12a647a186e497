/**
 * A process that opens a repository's files on command, in any runtime: `open <folder>` prints `open` or the
 * code of the error, `write` changes the first byte and prints `written` or the code, `close` prints `closed`.
 * `thread <folder>` opens them in a new thread, and `terminate` ends it. The driver is a parameter, because
 * the runtimes differ in that alone.
 */
import { isRepoError } from '../../src/core/errors.ts';
import type { DatabaseFiles } from '../../src/wasm/vfs/database-files.ts';

/** A worker that has the files of a folder open. */
export interface HoldingThread {
  /** Resolves when the thread has ended. */
  terminate(): Promise<void>;
}

export const holdLock = async (
  commands: AsyncIterable<string>,
  open: (folder: string) => Promise<DatabaseFiles>,
  openInThread: (folder: string) => Promise<HoldingThread>,
): Promise<void> => {
  let files: DatabaseFiles | undefined;
  let thread: HoldingThread | undefined;
  const refusal = (error: unknown): string => (isRepoError(error) ? `${error.code} ${error.message}` : String(error));
  for await (const line of commands) {
    const [verb, folder = ''] = line.split(' ');
    if (verb === 'open') {
      try {
        files = await open(folder);
        console.log('open');
      } catch (error) {
        console.log(refusal(error));
      }
    } else if (verb === 'thread') {
      thread = await openInThread(folder);
      console.log('open');
    } else if (verb === 'terminate') {
      await thread?.terminate();
      console.log('terminated');
    } else if (verb === 'write') {
      try {
        files!.main.write(new Uint8Array([1]), { at: 0 });
        files!.main.flush();
        console.log('written');
      } catch (error) {
        console.log(refusal(error));
      }
    } else if (verb === 'close') {
      await files?.close();
      files = undefined;
      console.log('closed');
    }
  }
};

/** Yields the lines of a byte stream. */
export async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of stream) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
}
