/** `Repo.backup` on the client's side: one list of the server, in which each file is its head and then its bytes. */
import type { BackupOptions } from '../../core/repo/transfer/backup-manifest.ts';
import type { BackupFile } from '../../core/storage/backup-file.ts';
import { RepoError } from '../../core/errors.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import type { ListServer } from './client-lists.ts';
import type { FileHead, OpenList } from './protocol.ts';
import { GONE } from './protocol.ts';
import { isBytes } from '../../core/data/platform-values.ts';

type Item = FileHead | Uint8Array;

async function* itemsOf(
  server: ListServer,
  handle: number,
  list: OpenList,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item> {
  let ended = false;
  try {
    for (let page = await server.open(handle, list); ; ) {
      yield* page.items as readonly Item[];
      if (page.done) {
        ended = true;
        return;
      }
      signal?.throwIfAborted();
      const next = await server.next(handle);
      if (next === GONE) {
        ended = true;
        throw new RepoError(
          'StorageFailed',
          'the tab that had the repository open went away while it was backed up: begin the backup again',
        );
      }
      page = next;
    }
  } finally {
    if (!ended) {
      server.leave(handle);
    }
  }
}

/** The bytes of the file that the items have come to: exactly as many as its head has said. */
const fileStream = (
  items: AsyncIterator<Item>,
  { path, size }: FileHead,
  onPiece: (length: number) => void,
): ReadableStream<Uint8Array> => {
  let rest = size;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (rest > 0) {
          const { done, value } = await items.next();
          if (done === true || !isBytes(value) || value.length > rest) {
            throw new RepoError(
              'StorageFailed',
              `a file has another size than it was said to have; path=${path} size=${size}`,
            );
          }
          rest -= value.length;
          onPiece(value.length);
          controller.enqueue(value);
        }
        if (rest === 0) {
          controller.close();
        }
      },
    },
    { highWaterMark: 0 },
  );
};

/**
 * The files of a backup. Each is read to its end before the next one is asked for; left early, it says so to the
 * server.
 */
export async function* walkBackup(
  server: ListServer,
  handle: number,
  { signal, onProgress, ...options }: BackupOptions,
): AsyncGenerator<BackupFile> {
  signal?.throwIfAborted();
  const list: OpenList = { of: 'backup', options: options satisfies Omit<BackupOptions, keyof LongWork> };
  const items = itemsOf(server, handle, list, signal);
  let bytes = 0;
  const onPiece = (length: number): void => {
    bytes += length;
    onProgress?.({ phase: 'read', bytes, blocks: 0, records: 0 });
  };
  try {
    for (let item = await items.next(); item.done !== true; item = await items.next()) {
      const head = item.value;
      if (isBytes(head)) {
        throw new TypeError('each file of a backup is read to its end before the next one is asked for');
      }
      yield { path: head.path, content: { size: head.size, stream: () => fileStream(items, head, onPiece) } };
    }
  } finally {
    await items.return(undefined);
  }
}
