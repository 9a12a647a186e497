/** The files of a folder across a wire: a stream of their names, with a stream for the bytes of each. */
import { byteStream, chunksOf } from '../../core/data/streams.ts';
import type { BackupFile } from '../../core/storage/backup-file.ts';

/** A file as it crosses. */
export interface WireFile {
  readonly path: string;
  readonly size: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Opens the file when its first bytes are asked for. */
async function* bytesOf({ content }: BackupFile): AsyncGenerator<Uint8Array> {
  yield* chunksOf(content.stream());
}

/** Offers files, of which one is open at a time. */
export async function* toWireFiles(files: AsyncIterable<BackupFile> | Iterable<BackupFile>): AsyncGenerator<WireFile> {
  for await (const file of files) {
    yield { path: file.path, size: file.content.size, bytes: bytesOf(file) };
  }
}

/** The files that the other end offers. */
export async function* fromWireFiles(files: AsyncIterable<WireFile>): AsyncGenerator<BackupFile, void, undefined> {
  for await (const { path, size, bytes } of files) {
    yield { path, content: { size, stream: () => byteStream(bytes) } };
  }
}
