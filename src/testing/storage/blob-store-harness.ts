/** The harness for the cases of blob stores, and test data. */
import { cidToText } from '../../core/data/cid.ts';
import type { CID } from '../../core/data/cid.ts';
import type { BlobStore } from '../../core/storage/ports.ts';
import { assertEqual } from '../case.ts';
import type { Case } from '../case.ts';

/** A storage for blobs, empty when a case begins. Each case gets its own harness. */
export interface BlobStoreHarness {
  /** Opens the store. It is called again after the last store was closed. */
  open(): Promise<BlobStore>;
  /** Whether stored blobs exist after reopening. */
  readonly keeps: boolean;
  /** Replaces the stored bytes of a blob without the store. */
  damage?(cid: CID, bytes: Uint8Array): Promise<void>;
  /** Adds entries that are not blobs: with other names, and with the name of a blob but another kind. */
  litter?(): Promise<void>;
  /** Leaves the temporary files of a write that a crash has interrupted. */
  leaveUnfinished?(): Promise<void>;
  /** Returns the names of stored files that are not blobs. */
  temporaryFiles?(): Promise<readonly string[]>;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Returns pseudo-random bytes. Equal arguments give equal bytes. */
export const bytesOf = (length: number, seed = 1): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    bytes[i] = (i * 31 + seed * 7 + (i >> 8)) & 255;
  }
  return bytes;
};

/** Returns a stream of these chunks, which counts how often it was cancelled. */
export const streamOf = (
  pieces: readonly Uint8Array[],
  failure?: Error,
): { stream: ReadableStream<Uint8Array>; cancelled: () => number } => {
  let at = 0;
  let cancelled = 0;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[at++];
        if (piece !== undefined) {
          controller.enqueue(piece);
        } else if (failure !== undefined) {
          controller.error(failure);
        } else {
          controller.close();
        }
      },
      cancel() {
        cancelled++;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, cancelled: () => cancelled };
};

export const contentOf = async (store: BlobStore, cid: CID): Promise<Uint8Array | undefined> => {
  const blob = await store.get(cid);
  return blob && new Uint8Array(await blob.arrayBuffer());
};

export const listOf = async (store: BlobStore, after?: CID): Promise<string[]> => {
  const found: string[] = [];
  for await (const { cid } of store.list({ after })) {
    found.push(cidToText(cid));
  }
  return found;
};

export const assertNothing = async (harness: BlobStoreHarness, store: BlobStore): Promise<void> => {
  assertEqual(await listOf(store), [], 'blobs');
  assertEqual((await harness.temporaryFiles?.()) ?? [], [], 'temporary files');
};

/** Returns a case over an open store, which is closed afterwards. */
export const withStore = (
  name: string,
  run: (store: BlobStore, harness: BlobStoreHarness) => Promise<void>,
): Case<BlobStoreHarness> => ({
  name,
  async run(harness) {
    const store = await harness.open();
    try {
      await run(store, harness);
    } finally {
      await store.close();
    }
  },
});
