/**
 * Blobs in IndexedDB, beside the pages of the same repository: as `Blob`s, whose bytes the browser reads when they are
 * asked for, or as bytes where it keeps none (WebKit in private windows).
 */
import { get, getMany, keys } from 'idb-keyval';
import { readBlobSource } from '../../core/storage/blob-source.ts';
import { copyBytes } from '../../core/data/bytes.ts';
import { CODEC_RAW, cidOfDigest, cidTextToBytes, cidToText, decodeCid } from '../../core/data/cid.ts';
import type { CID } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { Lifetime } from '../../core/storage/lifetime.ts';
import { sha256Stream } from '../../core/data/sha256.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { BlobInfo, BlobSource, BlobStore, PutBlobOptions } from '../../core/storage/ports.ts';
import { completionOf, openIdbDatabase } from '../origin/idb-database.ts';
import type { IdbDatabase } from '../origin/idb-database.ts';
import { isBlob, isBytes } from '../../core/data/platform-values.ts';

/**
 * How much of a stream is held in memory before the browser is given it, to keep wherever it keeps the bytes of a
 * `Blob`.
 */
const PIECE_SIZE = 1 << 20;

/** How many blobs are looked at in one go when they are listed. */
const LISTED_AT_ONCE = 100;

/**
 * Opens the blobs of a repository, whose database has to be there. Whoever calls this owns it: has opened its files.
 * @throws {RepoError} `RepoNotFound`; `StorageFailed`.
 * @throws {TypeError} when the name cannot be a repository's.
 */
export const openIdbBlobs = async (name: string): Promise<BlobStore> => {
  const database = await openIdbDatabase(name, false);
  if (database === undefined) {
    throw new RepoError('RepoNotFound', `there is no repository of this name; name=${name}`);
  }
  return new IdbBlobStore(database);
};

const isBlobName = (name: unknown): name is string =>
  typeof name === 'string' && cidTextToBytes(name)?.[1] === CODEC_RAW;

/** The key of the time at which a blob was stored; no blob has such a name. */
const timeKey = (name: string): string => `time:${name}`;

/** What is stored of a blob, as a `Blob`; `undefined` for what is none. */
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
      for await (const piece of readBlobSource(source, options)) {
        builder.add(piece);
      }
      const { cid, blob } = builder.end();
      // Also over one that is there, whose bytes may be damaged: reading it to see costs as much as writing.
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
        throw new RepoError('Corrupt', `not a blob; key=${name}`);
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
    // In order as they come: IndexedDB sorts texts by their code units, and these are ASCII.
    const names = all.filter(isBlobName).filter((name) => name > after);
    for (let start = 0; start < names.length; start += LISTED_AT_ONCE) {
      const some = names.slice(start, start + LISTED_AT_ONCE);
      const found = await this.#lifetime.run(() =>
        this.#io('listing the blobs', () =>
          getMany<unknown>([...some, ...some.map(timeKey)], this.#database.store('blobs')),
        ),
      );
      for (const [i, name] of some.entries()) {
        const blob = asBlob(found[i]);
        const time = found[some.length + i];
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

  /** Runs requests in one transaction, and waits until that is durable. */
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

/** Hashes the chunks of a blob and joins them to parts of at least `PIECE_SIZE`, each of which is a `Blob`. */
class BlobBuilder {
  readonly #hash = sha256Stream();
  readonly #blobs: Blob[] = [];
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;

  add(piece: Uint8Array): void {
    this.#hash.update(piece);
    // Copies, because the caller may use the buffer again.
    this.#pieces.push(copyBytes(piece));
    this.#size += piece.length;
    if (this.#size >= PIECE_SIZE) {
      this.#addPart();
    }
  }

  end(): { readonly cid: CID; readonly blob: Blob } {
    this.#addPart();
    return { cid: cidOfDigest(CODEC_RAW, this.#hash.digest()), blob: new Blob(this.#blobs) };
  }

  #addPart(): void {
    this.#blobs.push(new Blob(this.#pieces));
    this.#pieces = [];
    this.#size = 0;
  }
}
