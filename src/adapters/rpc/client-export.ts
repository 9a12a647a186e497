/** `Repo.exportCar` on the client's side. */
import { compareBytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import type { Page } from './protocol.ts';
import { GONE } from './protocol.ts';
import type { ListServer } from './client-lists.ts';
import type { ExportOptions, LongWork } from '../../core/repo/long-work.ts';

/** The header of a CAR with one root has 59 bytes, and names the commit: what follows is the same for the same one. */
const HEADER_LENGTH = 59;

/**
 * The CAR as a stream that is read only as far as somebody reads it. If the server has changed, the export is begun
 * anew and its beginning passed over; if the head has changed as well, the stream fails with `InvalidSwap`.
 */
export const exportStream = (
  server: ListServer,
  handle: number,
  { signal, onProgress, ...options }: ExportOptions,
): ReadableStream<Uint8Array> => {
  let given = 0;
  /** How far the listener knows that it is. */
  let told = 0;
  let header = new Uint8Array(0);
  /** Bytes to pass over. */
  let passing = 0;
  let opened = false;
  let done = false;

  // What is passed over after the server has changed was told before.
  const tell: LongWork['onProgress'] =
    onProgress &&
    ((progress) => {
      if (progress.bytes > told) {
        told = progress.bytes;
        onProgress(progress);
      }
    });

  const open = (): Promise<Page<unknown>> =>
    server.open(handle, { of: 'exportCar', options, tells: tell !== undefined }, tell);

  const nextPage = async (): Promise<Page<unknown>> => {
    if (!opened) {
      opened = true;
      return open();
    }
    const page = await server.next(handle, tell);
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

  const give = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    for (let length = 0; length === 0; ) {
      signal?.throwIfAborted();
      const page = await nextPage();
      done = page.done;
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
    }
  };

  const leave = (): void => {
    if (opened && !done) {
      server.leave(handle);
    }
  };

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          await give(controller);
        } catch (error) {
          leave();
          throw error;
        }
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
};
