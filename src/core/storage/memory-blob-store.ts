/** A blob store in memory, for tests and temporary repositories. */
import { readBlobSource } from './blob-source.ts';
import { concatBytes, copyBytes } from '../data/bytes.ts';
import { CODEC_RAW, cidOf, cidToText, parseCid } from '../data/cid.ts';
import type { CID } from '../data/cid.ts';
import { Lifetime } from './lifetime.ts';
import type { BlobInfo, BlobSource, BlobStore, PutBlobOptions } from './ports.ts';

/** A {@link BlobStore} in memory. `close` drops its content. */
export class MemoryBlobStore implements BlobStore {
  readonly #blobs = new Map<string, { readonly blob: Blob; readonly storedAt: number }>();
  readonly #lifetime = new Lifetime('blob store');

  put(source: BlobSource, options: PutBlobOptions = {}): Promise<BlobInfo> {
    return this.#lifetime.run(async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of readBlobSource(source, options)) {
        chunks.push(copyBytes(chunk));
      }
      const bytes = concatBytes(chunks);
      const cid = cidOf(CODEC_RAW, bytes);
      const storedAt = Date.now();
      this.#blobs.set(cidToText(cid), { blob: new Blob([bytes]), storedAt });
      return { cid, size: bytes.length, storedAt };
    });
  }

  get(cid: CID): Promise<Blob | undefined> {
    return this.#lifetime.run(async () => this.#blobs.get(cidToText(cid))?.blob);
  }

  delete(cids: readonly CID[]): Promise<void> {
    return this.#lifetime.run(async () => {
      for (const cid of cids) {
        this.#blobs.delete(cidToText(cid));
      }
    });
  }

  async *list(options: { readonly after?: CID | undefined } = {}): AsyncGenerator<BlobInfo, void, undefined> {
    this.#lifetime.assertOpen();
    const after = options.after === undefined ? '' : cidToText(options.after);
    // CID texts are ASCII, so string order is byte order.
    const names = [...this.#blobs.keys()].filter((name) => name > after).sort();
    for (const name of names) {
      this.#lifetime.assertOpen();
      const found = this.#blobs.get(name);
      if (found !== undefined) {
        yield { cid: parseCid(name), size: found.blob.size, storedAt: found.storedAt };
      }
    }
  }

  close(): Promise<void> {
    return this.#lifetime.close(async () => this.#blobs.clear());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
