/**
 * Stores blobs in IndexedDB, beside the pages of the repository. A blob is stored as a `Blob`, whose bytes the browser
 * reads on demand, or as bytes if the browser stores no `Blob` (WebKit in private windows).
 */
import { get, getMany, keys } from 'idb-keyval';
import { readBlobSource } from '../../core/storage/blob-source.ts';
import { copyBytes } from '../../core/data/bytes.ts';
import { CODEC_RAW, cidOfDigest, cidTextToBytes, cidToText, decodeCid } from '../../core/data/cid.ts';
import type { CID } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { Lifetime } from '../../core/storage/lifetime.ts';
import { sha256Stream } from '../../wasm/hash/sha256-stream.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { BlobInfo, BlobSource, BlobStore, PutBlobOptions } from '../../core/storage/ports.ts';
import { completionOf, openIdbDatabase } from '../origin/idb-database.ts';
import type { IdbDatabase } from '../origin/idb-database.ts';
import { isBlob, isBytes } from '../../core/data/platform-values.ts';

/**
 * Bytes of a stream that are in memory before they become a `Blob`. The browser may keep a `Blob` on the disk.
 */
const CHUNK_SIZE = 1 << 20;

/** Blobs per read of a list. */
const BATCH = 100;

/**
 * Opens the blobs of an existing repository. The caller must have its files open.
 * @throws {RepoError} `RepoNotFound`; `StorageFailed`.
 * @throws {TypeError} if the name is not a valid name of a repository.
 */
export const openIdbBlobs = async (name: string): Promise<BlobStore> => {
  const database = await openIdbDatabase(name, false);
  if (database === undefined) {
    throw new RepoError(
      'RepoNotFound',
      `the repository is missing: check the name, or create it with createRepo; name=${name}`,
    );
  }
  return new IdbBlobStore(database);
};

const isBlobName = (name: unknown): name is string =>
  typeof name === 'string' && cidTextToBytes(name)?.[1] === CODEC_RAW;

/** Returns the key for the time at which a blob was stored. It is not a valid name of a blob. */
const timeKey = (name: string): string => `time:${name}`;

/** Returns a stored value as a `Blob`, or `undefined` if it is neither a `Blob` nor bytes. */
const asBlob = (value: unknown): Blob | undefined => {
  if (isBlob(value)) {
    return value;
  }
  return isBytes(value) ? new Blob([value as Uint8Array<ArrayBuffer>]) : undefined;
};

class IdbBlobStore implements BlobStore {
  readonly #database: IdbDatabase;
  readonly #lifetime = new Lifetime('blob store');

  constructor(database: IdbDatabase) {
    this.#database = database;
  }

  put(source: BlobSource, options: PutBlobOptions = {}): Promise<BlobInfo> {
    return this.#lifetime.run(async () => {
      const builder = new BlobBuilder();
      for await (const chunk of readBlobSource(source, options)) {
        builder.add(chunk);
      }
      const { cid, blob } = builder.end();
      // Also over an existing blob, which may be damaged. A check would cost as much as the write.
      const storedAt = Date.now();
      await this.#io('storing a blob', () => this.#set(cidToText(cid), blob, storedAt));
      return { cid, size: blob.size, storedAt };
    });
  }

  get(cid: CID): Promise<Blob | undefined> {
    return this.#lifetime.run(async () => {
      const name = cidToText(cid);
      const found = await this.#io('reading a blob', () => get<unknown>(name, this.#database.store('blobs')));
      const blob = asBlob(found);
      if (found !== undefined && blob === undefined) {
        throw new RepoError('Corrupt', `the stored value is not a blob: store the blob again; cid=${name}`);
      }
      return blob;
    });
  }

  delete(cids: readonly CID[]): Promise<void> {
    return this.#lifetime.run(async () => {
      await this.#io('deleting a blob', () =>
        this.#change((store) =>
          cids.map(cidToText).forEach((name) => {
            store.delete(name);
            store.delete(timeKey(name));
          }),
        ),
      );
    });
  }

  async *list(options: { readonly after?: CID | undefined } = {}): AsyncGenerator<BlobInfo, void, undefined> {
    const after = options.after === undefined ? '' : cidToText(options.after);
    const all = await this.#lifetime.run(() =>
      this.#io('listing the blobs', () => keys<IDBValidKey>(this.#database.store('blobs'))),
    );
    // Already sorted: IndexedDB sorts texts by code units, and these are ASCII.
    const names = all.filter(isBlobName).filter((name) => name > after);
    for (let start = 0; start < names.length; start += BATCH) {
      const batch = names.slice(start, start + BATCH);
      const found = await this.#lifetime.run(() =>
        this.#io('listing the blobs', () =>
          getMany<unknown>([...batch, ...batch.map(timeKey)], this.#database.store('blobs')),
        ),
      );
      for (const [i, name] of batch.entries()) {
        const blob = asBlob(found[i]);
        const time = found[batch.length + i];
        if (blob !== undefined) {
          const storedAt = typeof time === 'number' ? time : undefined;
          yield { cid: decodeCid(cidTextToBytes(name)!), size: blob.size, storedAt };
          this.#lifetime.assertOpen();
        }
      }
    }
  }

  close(): Promise<void> {
    return this.#lifetime.close(async () => this.#database.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #set(name: string, blob: Blob, storedAt: number): Promise<void> {
    const put = (value: unknown): Promise<void> =>
      this.#change((store) => {
        store.put(value, name);
        store.put(storedAt, timeKey(name));
      });
    try {
      await put(blob);
    } catch (error) {
      if (toStorageError(error, 'storing a blob').code === 'StorageFull') {
        throw error;
      }
      const bytes = new Uint8Array(await blob.arrayBuffer());
      await put(bytes);
    }
  }

  /** Runs requests in one transaction, and waits until it is durable. */
  async #change(run: (store: IDBObjectStore) => unknown): Promise<void> {
    await this.#database.begin(
      () => ['blobs'],
      'readwrite',
      (transaction) => {
        const completed = completionOf(transaction);
        run(transaction.objectStore('blobs'));
        return completed;
      },
    );
  }

  async #io<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw toStorageError(error, doing);
    }
  }
}

/** Hashes the chunks of a blob and joins them to `Blob`s of at least `CHUNK_SIZE` bytes. */
class BlobBuilder {
  readonly #hash = sha256Stream();
  readonly #blobs: Blob[] = [];
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;

  add(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    // Copied, because the caller may use the buffer again.
    this.#chunks.push(copyBytes(chunk));
    this.#size += chunk.length;
    if (this.#size >= CHUNK_SIZE) {
      this.#addPart();
    }
  }

  end(): { readonly cid: CID; readonly blob: Blob } {
    this.#addPart();
    return { cid: cidOfDigest(CODEC_RAW, this.#hash.digest()), blob: new Blob(this.#blobs) };
  }

  #addPart(): void {
    this.#blobs.push(new Blob(this.#chunks));
    this.#chunks = [];
    this.#size = 0;
  }
}
