/**
 * The files of a folder across a wire: whoever has them is asked for one after the other, and for each piece by piece.
 */
import { RepoError } from '../../core/errors.ts';
import type { Handlers, Peer } from './peer.ts';
import type { FileHead, FolderMethods } from './protocol.ts';

/** One file: its path in the folder, and its bytes, to be read once, before the next file is asked for. */
export interface FolderFile {
  readonly path: string;
  readonly content: { readonly size: number; stream(): ReadableStream<Uint8Array> };
}

/** Answers for a folder. */
export const giveFolder = (files: AsyncIterable<FolderFile> | Iterable<FolderFile>): Handlers<FolderMethods> => {
  const iterator = Symbol.asyncIterator in files ? files[Symbol.asyncIterator]() : files[Symbol.iterator]();
  let file: FolderFile | undefined;
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;

  const letGo = async (): Promise<void> => {
    const left = reader;
    [file, reader] = [undefined, undefined];
    await left?.cancel();
  };

  return {
    async nextFile(): Promise<FileHead | undefined> {
      await letGo();
      const { done, value } = await iterator.next();
      if (done === true) {
        return undefined;
      }
      file = value;
      return { path: value.path, size: value.content.size };
    },
    async readFile() {
      if (file === undefined) {
        throw new RepoError('Closed', 'the file has been let go of: it is read before the next one is asked for');
      }
      reader ??= file.content.stream().getReader();
      const { done, value } = await reader.read();
      return done ? undefined : new Uint8Array(value);
    },
    async leave() {
      await letGo();
      await iterator.return?.();
    },
  };
};

/** The files of the folder at the other end. Left early, it says so. */
export async function* takeFolder(peer: Peer<FolderMethods, object>): AsyncGenerator<FolderFile, void, undefined> {
  let ended = false;
  try {
    for (let file = await peer.call('nextFile', []); file !== undefined; file = await peer.call('nextFile', [])) {
      yield { path: file.path, content: { size: file.size, stream: () => fileStream(peer) } };
    }
    ended = true;
  } catch (error) {
    ended = true;
    throw error;
  } finally {
    if (!ended) {
      await peer.call('leave', []);
    }
  }
}

const fileStream = (peer: Peer<FolderMethods, object>): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await peer.call('readFile', []);
        if (piece === undefined) {
          controller.close();
        } else {
          controller.enqueue(piece);
        }
      },
    },
    { highWaterMark: 0 },
  );
