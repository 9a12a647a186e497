/** Streams of a server that another server continues when it takes over. */
import { compareBytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import type { Compare } from '../../core/repo/method-tables.ts';
import { isGone } from './error-data.ts';

/** The header of a CAR with one root has 59 bytes, and names the commit: what follows is the same for the same one. */
const HEADER_LENGTH = 59;

/**
 * Opens a stream again whenever its server goes.
 * @param begin Returns a function for the items of the opened stream. It returns what was not yielded before.
 */
export async function* resumed<I, T>(
  open: () => AsyncIterable<I>,
  begin: () => (item: I) => T | undefined,
): AsyncGenerator<T> {
  for (;;) {
    const restOf = begin();
    try {
      for await (const item of open()) {
        const rest = restOf(item);
        if (rest !== undefined) {
          yield rest;
        }
      }
      return;
    } catch (error) {
      if (!isGone(error)) {
        throw error;
      }
    }
  }
}

/** The entries of a list. Opened again, it passes over the entries up to the last one. */
export const resumedList = <T>(open: () => AsyncIterable<T>, compare: Compare<T>): AsyncGenerator<T> => {
  let last: { readonly entry: T } | undefined;
  return resumed(open, () => {
    let isPassing = last !== undefined;
    return (entry) => {
      const place = isPassing ? compare(entry, last!.entry) : 1;
      isPassing = place < 0;
      if (place <= 0) {
        return undefined;
      }
      last = { entry };
      return entry;
    };
  });
};

/**
 * The bytes of a CAR. Opened again, it passes over what was read, and fails with `InvalidSwap` if the head has changed.
 * @param open Begins the export, and tells of its progress.
 */
export const resumedExport = (
  open: (onProgress: LongWork['onProgress']) => AsyncIterable<Uint8Array>,
  onProgress: LongWork['onProgress'],
): AsyncGenerator<Uint8Array> => {
  let header: Uint8Array | undefined;
  let given = 0;
  let told = 0;
  // The listener knows already of the bytes that are passed over.
  const tell: LongWork['onProgress'] = (progress) => {
    if (progress.bytes > told) {
      told = progress.bytes;
      onProgress?.(progress);
    }
  };
  return resumed(
    () => open(onProgress && tell),
    () => {
      let at = 0;
      return (chunk) => {
        header ??= chunk.slice(0, HEADER_LENGTH);
        if (at === 0 && compareBytes(chunk.subarray(0, header.length), header) !== 0) {
          throw new RepoError('InvalidSwap', 'the head has changed while it was exported: export it again');
        }
        const rest = chunk.subarray(Math.max(0, given - at));
        at += chunk.length;
        given = Math.max(given, at);
        return rest.length > 0 ? rest : undefined;
      };
    },
  );
};
