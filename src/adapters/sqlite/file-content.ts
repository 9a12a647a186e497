/** A file of the database as a stream. */
import type { BackupContent } from '../../core/storage/backup-file.ts';
import { RepoError } from '../../core/errors.ts';
import type { SyncFile } from '../../wasm/vfs/database-files.ts';

/** How much of it is read at a time. */
const PIECE_SIZE = 1 << 18;

/** The file as long as it is now; what grows later is not in it. */
export const contentOf = (file: SyncFile): BackupContent => {
  const size = file.getSize();
  const stream = (): ReadableStream<Uint8Array> => {
    let at = 0;
    return new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          const piece = new Uint8Array(Math.min(PIECE_SIZE, size - at));
          if (file.read(piece, { at }) !== piece.length) {
            throw new RepoError('StorageFailed', `the database ends before its end; at=${at}`);
          }
          at += piece.length;
          if (piece.length > 0) {
            controller.enqueue(piece);
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
