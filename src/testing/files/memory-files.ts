/** The files of a database in memory, for tests. They count calls and simulate power cuts. */
import type { Bytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import type { DatabaseFiles, SyncFile } from '../../wasm/vfs/database-files.ts';

/** Content is stored in chunks of SQLite's page size, so that growing copies nothing. */
const PIECE = 4096;

/** The durable chunks and the durable size, to which a power cut returns. */
interface Durable {
  readonly pieces: Map<number, Bytes | undefined>;
  size: number;
}

/** A file. It keeps a copy of the durable state of each changed chunk. */
export class MemoryFile implements SyncFile {
  readonly #pieces = new Map<number, Bytes>();
  readonly #durable: Durable = { pieces: new Map(), size: 0 };
  readonly #durableOn: 'flush' | 'persist';
  #size = 0;
  #isClosed = false;
  #reads = 0;
  #bytesRead = 0;
  #writes = 0;
  #flushes = 0;

  constructor(durableOn: 'flush' | 'persist' = 'flush') {
    this.#durableOn = durableOn;
  }

  /** The number of calls per method, and the number of read bytes. */
  get counts(): {
    readonly reads: number;
    readonly bytesRead: number;
    readonly writes: number;
    readonly flushes: number;
  } {
    return { reads: this.#reads, bytesRead: this.#bytesRead, writes: this.#writes, flushes: this.#flushes };
  }

  read(buffer: Uint8Array, { at }: { at: number }): number {
    this.#check();
    this.#reads++;
    const end = Math.max(at, Math.min(this.#size, at + buffer.length));
    for (const { index, from, to, offset } of pieces(at, end)) {
      const piece = this.#pieces.get(index);
      if (piece === undefined) {
        buffer.fill(0, offset, offset + to - from);
      } else {
        buffer.set(piece.subarray(from, to), offset);
      }
    }
    this.#bytesRead += end - at;
    return end - at;
  }

  write(buffer: Uint8Array, { at }: { at: number }): number {
    this.#check();
    this.#writes++;
    for (const { index, from, to, offset } of pieces(at, at + buffer.length)) {
      this.#changeable(index).set(buffer.subarray(offset, offset + to - from), from);
    }
    if (buffer.length > 0) {
      this.#size = Math.max(this.#size, at + buffer.length);
    }
    return buffer.length;
  }

  truncate(size: number): void {
    this.#check();
    const last = Math.floor(size / PIECE);
    for (const index of [...this.#pieces.keys()]) {
      if (index > last || (index === last && size % PIECE === 0)) {
        this.#remember(index);
        this.#pieces.delete(index);
      } else if (index === last) {
        this.#changeable(index).fill(0, size % PIECE);
      }
    }
    this.#size = size;
  }

  getSize(): number {
    this.#check();
    return this.#size;
  }

  flush(): void {
    this.#check();
    this.#flushes++;
    if (this.#durableOn === 'flush') {
      this.makeDurable();
    }
  }

  /** The methods of {@link SyncFile} throw afterwards. The content can still be read and copied. */
  close(): void {
    this.#isClosed = true;
  }

  /** Makes the present content durable. */
  makeDurable(): void {
    this.#durable.pieces.clear();
    this.#durable.size = this.#size;
  }

  /** Returns a copy of the content. */
  bytes(): Bytes {
    const bytes = new Uint8Array(this.#size);
    for (const [index, piece] of this.#pieces) {
      bytes.set(piece.subarray(0, Math.max(0, this.#size - index * PIECE)), index * PIECE);
    }
    return bytes;
  }

  /** Returns a new file with the `written` or only the `durable` content. */
  copy(state: 'written' | 'durable'): MemoryFile {
    const copy = new MemoryFile(this.#durableOn);
    for (const [index, piece] of this.#pieces) {
      copy.#pieces.set(index, piece.slice());
    }
    copy.#size = this.#size;
    if (state === 'durable') {
      for (const [index, piece] of this.#durable.pieces) {
        if (piece === undefined) {
          copy.#pieces.delete(index);
        } else {
          copy.#pieces.set(index, piece.slice());
        }
      }
      copy.#size = this.#durable.size;
    }
    copy.makeDurable();
    return copy;
  }

  #check(): void {
    if (this.#isClosed) {
      throw new RepoError('Closed', 'the file is closed');
    }
  }

  #remember(index: number): void {
    if (!this.#durable.pieces.has(index)) {
      this.#durable.pieces.set(index, this.#pieces.get(index)?.slice());
    }
  }

  #changeable(index: number): Bytes {
    this.#remember(index);
    let piece = this.#pieces.get(index);
    if (piece === undefined) {
      piece = new Uint8Array(PIECE);
      this.#pieces.set(index, piece);
    }
    return piece;
  }
}

/** Three {@link MemoryFile}s without an owner and without a lock. */
export class MemoryFiles implements DatabaseFiles {
  readonly durableOn: 'flush' | 'persist';
  #main: MemoryFile;
  #journal: MemoryFile;
  #wal: MemoryFile;
  #isClosed = false;

  constructor(options: { readonly durableOn?: 'flush' | 'persist' } = {}) {
    this.durableOn = options.durableOn ?? 'flush';
    this.#main = new MemoryFile(this.durableOn);
    this.#journal = new MemoryFile(this.durableOn);
    this.#wal = new MemoryFile(this.durableOn);
  }

  get main(): MemoryFile {
    return this.#main;
  }

  get journal(): MemoryFile {
    return this.#journal;
  }

  get wal(): MemoryFile {
    return this.#wal;
  }

  /**
   * Returns files with the content that the next process finds after a kill. For `persist` files, this is the persisted
   * content.
   */
  reopened(): MemoryFiles {
    return this.#copy(this.durableOn === 'flush' ? 'written' : 'durable');
  }

  /** Returns files with only the durable content, as after a power cut. */
  afterPowerCut(): MemoryFiles {
    return this.#copy('durable');
  }

  async persist(): Promise<void> {
    if (this.#isClosed) {
      throw new RepoError('Closed', 'the files are closed');
    }
    if (this.durableOn === 'persist') {
      this.#all.forEach((file) => file.makeDurable());
    }
  }

  /** Does not persist, so that a test detects a missing `persist`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#all.forEach((file) => file.close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #all(): readonly MemoryFile[] {
    return [this.#main, this.#journal, this.#wal];
  }

  #copy(state: 'written' | 'durable'): MemoryFiles {
    const copy = new MemoryFiles({ durableOn: this.durableOn });
    copy.#main = this.#main.copy(state);
    copy.#journal = this.#journal.copy(state);
    copy.#wal = this.#wal.copy(state);
    return copy;
  }
}

/** Yields the chunks of a byte range: the index, the part `from`..`to` of the chunk, and its offset in the range. */
function* pieces(start: number, end: number): Iterable<{ index: number; from: number; to: number; offset: number }> {
  for (let at = start; at < end; ) {
    const index = Math.floor(at / PIECE);
    const from = at - index * PIECE;
    const to = Math.min(PIECE, end - index * PIECE);
    yield { index, from, to, offset: at - start };
    at += to - from;
  }
}
