/** Calls that send what a page has: a CAR, a blob. */
import type { CarSource } from '../../core/car/source.ts';
import type { BlobRef } from '../../core/data/blob-ref.ts';
import { isBlob, isBytes, isReadableStream } from '../../core/data/platform-values.ts';
import type { ImportOptions, ImportResult } from '../../core/repo/long-work.ts';
import type { PutBlobRefOptions } from '../../core/repo/repo.ts';
import { assertMetaValues } from '../../core/repo/write/meta.ts';
import type { LazyBlobSource } from '../../core/storage/blob-source.ts';
import { isPending, settledSource } from '../../core/storage/blob-source.ts';
import type { ClientCalls } from './client-calls.ts';
import { wireKey } from './wire-key.ts';

/** `Repo.importCar`. */
export const sendCar = async (
  calls: ClientCalls,
  source: CarSource,
  { signal, onProgress, request, key, ...given }: ImportOptions = {},
): Promise<ImportResult> => {
  calls.assertOpen();
  assertMetaValues(given.meta);
  const options = { ...given, key: wireKey(key) };
  const { wire, withdraw } = calls.sources.offer(source, signal);
  const name = request ?? { id: calls.writes.nameRequest() };
  const since = calls.rev;
  const again = wire.kind === 'stream' ? ({ kind: 'lost' } as const) : wire;
  try {
    const result = await calls.call('importCar', [wire, { ...options, request: name }], {
      signal,
      onProgress,
      changes: true,
      moved: () => [again, { ...options, request: { again: { since }, ...name } }],
    });
    calls.note(result.rev);
    return result;
  } finally {
    withdraw();
  }
};

/** `Repo.putBlob`. */
export const sendBlob = async (
  calls: ClientCalls,
  given: LazyBlobSource,
  { signal, ...options }: PutBlobRefOptions = {},
): Promise<BlobRef> => {
  calls.assertOpen();
  const source = isPending(given) ? await settledSource(given) : given;
  if (!(isBytes(source) || isBlob(source) || isReadableStream(source))) {
    throw new TypeError('a blob is stored from a Blob, a ReadableStream or a Uint8Array');
  }
  const { wire, withdraw } = calls.sources.offer(source, signal);
  try {
    // A blob is named by its content: storing it twice is storing it once.
    return await calls.call('putBlob', [wire, options], {
      signal,
      changes: true,
      moved: wire.kind === 'stream' ? 'lost' : undefined,
    });
  } finally {
    withdraw();
  }
};
