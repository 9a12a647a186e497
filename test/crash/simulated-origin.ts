/**
 * The IndexedDB of one repository in a browser, in memory: pages of the files, and blobs. Each change is atomic. The
 * files are the library's own {@link PagedFile}s. It keeps a log, and has a hook for every transaction, as a simulated
 * disk does.
 */
import { FILE_NAMES } from '../../src/core/storage/layout.ts';
import { PagedFile } from '../../src/adapters/files/paged-file.ts';
import type { PageChanges } from '../../src/adapters/files/paged-file.ts';
import { readBlobSource } from '../../src/core/storage/blob-source.ts';
import { concatBytes } from '../../src/core/data/bytes.ts';
import { CODEC_RAW, cidOfDigest, cidTextToBytes, cidToText, decodeCid } from '../../src/core/data/cid.ts';
import type { CID } from '../../src/core/data/cid.ts';
import { RepoError } from '../../src/core/errors.ts';
import { sha256 } from '../../src/core/data/sha256.ts';
import { toStorageError } from '../../src/core/storage/storage-error.ts';
import type { BlobInfo, BlobSource, BlobStore, PutBlobOptions } from '../../src/core/storage/ports.ts';
import type { DatabaseFiles } from '../../src/wasm/vfs/database-files.ts';

type Pages = Map<number, Uint8Array<ArrayBuffer>>;

/** One change, as it is stored. */
export type OriginEntry =
  | { readonly kind: 'persist'; readonly files: readonly PageChanges[] }
  | { readonly kind: 'putBlob'; readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'removeBlob'; readonly name: string }
  | { readonly kind: 'start' | 'ack'; readonly step: number };

export class OriginImage {
  readonly files: { pages: Pages; size: number }[];
  readonly blobs: Map<string, Uint8Array<ArrayBuffer>>;

  constructor(from?: OriginImage) {
    // Pages are immutable, so copies share them.
    this.files = FILE_NAMES.map((_, i) => ({ pages: new Map(from?.files[i]?.pages), size: from?.files[i]?.size ?? 0 }));
    this.blobs = new Map(from?.blobs);
  }

  apply(entry: OriginEntry): void {
    if (entry.kind === 'persist') {
      entry.files.forEach((changes, i) => {
        const file = this.files[i]!;
        changes.pages.forEach(([index, page]) => file.pages.set(index, page));
        file.size = changes.size;
      });
    } else if (entry.kind === 'putBlob') {
      this.blobs.set(entry.name, entry.bytes);
    } else if (entry.kind === 'removeBlob') {
      this.blobs.delete(entry.name);
    }
  }
}

export class SimulatedOrigin {
  readonly image: OriginImage;
  readonly log: OriginEntry[] = [];
  /** Called with the kind of each transaction before it runs. If it throws, the transaction ends without a change. */
  interfere: (kind: 'list' | 'open' | 'persist' | 'putBlob' | 'readBlob' | 'removeBlob') => void = () => undefined;
  #epoch = 0;
  #holder: number | undefined;

  constructor(image: OriginImage = new OriginImage()) {
    this.image = image;
  }

  /** Whether the files are open, and so locked. */
  get isHeld(): boolean {
    return this.#holder !== undefined;
  }

  mark(kind: 'start' | 'ack', step: number): void {
    this.log.push({ kind, step });
  }

  /** Ends the process that has the files open. */
  kill(): void {
    this.#epoch += 1;
    this.#holder = undefined;
  }

  /** The same as `openIdbFiles`. */
  async openFiles(create: boolean): Promise<DatabaseFiles> {
    if (this.isHeld) {
      throw new RepoError('Locked', 'the files are open');
    }
    try {
      this.interfere('open');
    } catch (error) {
      throw toStorageError(error, 'opening');
    }
    const hasContent = this.image.files.some(({ size }) => size > 0);
    if (create === hasContent) {
      throw new RepoError(create ? 'RepoExists' : 'RepoNotFound', 'there is a repository, or none');
    }
    const epoch = ++this.#epoch;
    this.#holder = epoch;
    const [main, journal, wal] = this.image.files.map(({ pages, size }) => {
      const copies = Array.from({ length: Math.ceil(size / 4096) }, (_, i) => pages.get(i)!.slice());
      return new PagedFile(copies, size);
    }) as [PagedFile, PagedFile, PagedFile];
    let failure: unknown;
    const letGo = async (): Promise<void> => {
      [main, journal, wal].forEach((file) => file.close());
      if (this.#holder === epoch) {
        this.#holder = undefined;
      }
    };
    return {
      main,
      journal,
      wal,
      durableOn: 'persist',
      persist: async () => {
        if (failure !== undefined) {
          throw new RepoError('StorageFailed', 'the files have failed', { cause: failure });
        }
        const files = [main, journal, wal].map((file) => file.takeChanges());
        const entry: OriginEntry = {
          kind: 'persist',
          files: files.map(({ pages, size }) => ({
            pages: pages.map(([index, page]) => [index, page.slice()] as const),
            size,
          })),
        };
        try {
          await this.#store('persist', entry, epoch);
        } catch (error) {
          failure = toStorageError(error, 'storing the changes');
          throw failure;
        }
      },
      close: letGo,
      [Symbol.asyncDispose]: letGo,
    };
  }

  openBlobs(): BlobStore {
    return new OriginBlobs(this, this.#epoch, (kind, entry, epoch) => this.#store(kind, entry, epoch));
  }

  async #store(kind: 'persist' | 'putBlob' | 'removeBlob', entry: OriginEntry, epoch: number): Promise<void> {
    // A transaction takes a turn of the event loop, so that other work runs meanwhile.
    await Promise.resolve();
    this.interfere(kind);
    if (epoch !== this.#epoch) {
      throw new RepoError('Locked', 'somebody else has the files');
    }
    this.log.push(entry);
    this.image.apply(entry);
  }
}

class OriginBlobs implements BlobStore {
  readonly #origin: SimulatedOrigin;
  readonly #epoch: number;
  readonly #store: (kind: 'putBlob' | 'removeBlob', entry: OriginEntry, epoch: number) => Promise<void>;

  constructor(
    origin: SimulatedOrigin,
    epoch: number,
    store: (kind: 'putBlob' | 'removeBlob', entry: OriginEntry, epoch: number) => Promise<void>,
  ) {
    this.#origin = origin;
    this.#epoch = epoch;
    this.#store = store;
  }

  async put(source: BlobSource, options: PutBlobOptions = {}): Promise<BlobInfo> {
    const pieces: Uint8Array[] = [];
    for await (const piece of readBlobSource(source, options)) {
      pieces.push(piece);
    }
    const bytes = concatBytes(pieces);
    const cid = cidOfDigest(CODEC_RAW, sha256(bytes));
    await this.#change('putBlob', { kind: 'putBlob', name: cidToText(cid), bytes });
    return { cid, size: bytes.length };
  }

  async get(cid: CID): Promise<Blob | undefined> {
    this.#ask('readBlob');
    const bytes = this.#origin.image.blobs.get(cidToText(cid));
    return bytes && new Blob([bytes]);
  }

  async delete(cids: readonly CID[]): Promise<void> {
    for (const cid of cids) {
      await this.#change('removeBlob', { kind: 'removeBlob', name: cidToText(cid) });
    }
  }

  async *list(): AsyncGenerator<BlobInfo> {
    this.#ask('list');
    for (const [name, bytes] of [...this.#origin.image.blobs].sort(([a], [b]) => (a < b ? -1 : 1))) {
      yield { cid: decodeCid(cidTextToBytes(name)!), size: bytes.length };
    }
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #ask(kind: 'list' | 'readBlob'): void {
    try {
      this.#origin.interfere(kind);
    } catch (error) {
      throw toStorageError(error, 'reading the blobs');
    }
  }

  async #change(kind: 'putBlob' | 'removeBlob', entry: OriginEntry): Promise<void> {
    try {
      await this.#store(kind, entry, this.#epoch);
    } catch (error) {
      throw toStorageError(error, 'changing the blobs');
    }
  }
}
