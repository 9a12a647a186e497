/** The files of a folder across a wire: a stream of their names, and a stream for the bytes of each. */
import { chunksOf } from '../../core/data/streams.ts';
import type { WireStream } from './streams.ts';
import { byteStream } from './streams.ts';
import type { StreamEnd } from './peer.ts';

/** One file: its path in the folder, and its bytes. It is read once, before the next file is asked for. */
export interface FolderFile {
  readonly path: string;
  readonly content: { readonly size: number; stream(): ReadableStream<Uint8Array> };
}

interface WireFile {
  readonly path: string;
  readonly size: number;
  readonly bytes: WireStream;
}

/** Opens the file when its first bytes are asked for. */
async function* bytesOf({ content }: FolderFile): AsyncGenerator<Uint8Array> {
  yield* chunksOf(content.stream());
}

async function* wireFiles(
  end: StreamEnd,
  files: AsyncIterable<FolderFile> | Iterable<FolderFile>,
): AsyncGenerator<WireFile> {
  for await (const file of files) {
    const bytes = end.offer(bytesOf(file));
    try {
      yield { path: file.path, size: file.content.size, bytes };
    } finally {
      await end.withdraw(bytes);
    }
  }
}

/** Offers files, of which one is open at a time. */
export const offerFiles = (
  end: StreamEnd,
  files: AsyncIterable<FolderFile> | Iterable<FolderFile>,
  onEnd?: () => void,
): WireStream => end.offer(wireFiles(end, files), { items: 1, onEnd });

/** The files that the other end offers. */
export async function* takeFiles(end: StreamEnd, files: AsyncIterable<unknown>): AsyncGenerator<FolderFile> {
  for await (const { path, size, bytes } of files as AsyncIterable<WireFile>) {
    yield { path, content: { size, stream: () => byteStream(end.take(bytes)) } };
  }
}
