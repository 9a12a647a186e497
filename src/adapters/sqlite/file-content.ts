/** Reads a file of the database as a stream. */
import type { BackupContent } from '../../core/storage/backup-file.ts';
import { RepoError } from '../../core/errors.ts';
import type { SyncFile } from '../../wasm/vfs/database-files.ts';

/** Bytes per read. */
const CHUNK_SIZE = 1 << 18;

/** Returns the bytes that the file has at this call, without bytes that are appended later. */
export const contentOf = (file: SyncFile): BackupContent => {
  const size = file.getSize();
  const stream = (): ReadableStream<Uint8Array> => {
    let at = 0;
    return new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const chunk = new Uint8Array(Math.min(CHUNK_SIZE, size - at));
          if (file.read(chunk, { at }) !== chunk.length) {
            throw new RepoError(
              'StorageFailed',
              `the database became shorter while it was read: try again; size=${size} at=${at}`,
            );
          }
          at += chunk.length;
          if (chunk.length > 0) {
            controller.enqueue(chunk);
          }
          if (at === size) {
            controller.close();
          }
        },
      },
      { highWaterMark: 0 },
    );
  };
  return { size, stream };
};
