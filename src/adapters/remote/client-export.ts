/** `Repo.exportCar` on the client's side. */
import { compareBytes } from '../../core/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import type { Page } from './protocol.ts';
import { GONE } from './protocol.ts';
import type { ListServer } from './client-lists.ts';
import type { ExportOptions } from '../../core/long-work.ts';

/** The header of a CAR with one root has 59 bytes, and names the commit: what follows is the same for the same one. */
const HEADER_LENGTH = 59;

/**
 * The CAR as a stream that is read only as far as somebody reads it. If the server has changed, the export is begun anew
 * and its beginning passed over; if the head has changed as well, the stream fails with `InvalidSwap`.
 */
export const exportStream = (server: ListServer, handle: number, { signal, onProgress, ...options }: ExportOptions): ReadableStream<Uint8Array> => {
  let given = 0;
  let header = new Uint8Array(0);
  /** Bytes to pass over. */
  let passing = 0;
  let opened = false;
  let done = false;

  const open = (): Promise<Page<unknown>> => server.open(handle, { of: 'exportCar', options });

  const nextPage = async (): Promise<Page<unknown>> => {
    if (!opened) {
      opened = true;
      return open();
    }
    const page = await server.next(handle);
    if (page !== GONE) {
      return page;
    }
    passing = given;
    return open();
  };

  /** What of a piece is new. */
  const takeNew = (piece: Uint8Array): Uint8Array => {
    const start = given - passing;
    if (start === 0 && given > 0 && compareBytes(piece.subarray(0, header.length), header) !== 0) {
      throw new RepoError('InvalidSwap', 'the head has changed while it was exported: export it again');
    }
    if (given === 0) {
      header = piece.slice(0, HEADER_LENGTH);
    }
    const fresh = piece.subarray(Math.min(passing, piece.length));
    passing -= piece.length - fresh.length;
    given += fresh.length;
    return fresh;
  };

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          signal?.throwIfAborted();
          const page = done ? { items: [], done } : await nextPage();
          done = page.done;
          let length = 0;
          for (const piece of page.items as readonly Uint8Array[]) {
            const fresh = takeNew(piece);
            length += fresh.length;
            if (fresh.length > 0) {
              controller.enqueue(fresh);
            }
          }
          if (done) {
            controller.close();
            return;
          }
          if (length > 0) {
            return;
          }
        }
      },
      cancel() {
        if (opened && !done) {
          server.leave(handle);
        }
      },
    },
    { highWaterMark: 0 },
  );
};
