/** What the cases for blob stores run on, and the bytes that they put there. */
import { cidToText } from '../../core/data/cid.ts';
import type { CID } from '../../core/data/cid.ts';
import type { BlobStore } from '../../core/storage/ports.ts';
import { assertEqual } from '../case.ts';
import type { Case } from '../case.ts';

/** One place for blobs, which is empty when a case begins. Each case gets a harness of its own. */
export interface BlobStoreHarness {
  /** Opens the place, again and again; what was opened before is closed by then. */
  open(): Promise<BlobStore>;
  /** Whether what was stored is there after reopening. */
  readonly keeps: boolean;
  /** Replaces the stored bytes of a blob behind the store's back. */
  damage?(cid: CID, bytes: Uint8Array): Promise<void>;
  /** Puts things that are no blobs among the blobs: other names, and a name of a blob over something that is none. */
  litter?(): Promise<void>;
  /** Leaves behind what a write does that was cut off by a crash. */
  leaveUnfinished?(): Promise<void>;
  /** The names of what lies in the place and is no stored blob. */
  leftovers?(): Promise<readonly string[]>;
}

export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Bytes that are not all alike, the same ones for the same arguments. */
export const bytesOf = (length: number, seed = 1): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    bytes[i] = (i * 31 + seed * 7 + (i >> 8)) & 255;
  }
  return bytes;
};

/** A stream of these pieces, which counts how often it was cancelled. */
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
  assertEqual((await harness.leftovers?.()) ?? [], [], 'leftovers');
};

/** A case over an open store, which is closed afterwards. */
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
