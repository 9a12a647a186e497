/** A file in memory that tracks its changed pages, for asynchronous storage. */
import type { Bytes } from '../../core/data/bytes.ts';
import { PAGE_SIZE } from '../../core/storage/layout.ts';
import { RepoError } from '../../core/errors.ts';
import type { SyncFile } from '../../wasm/vfs/database-files.ts';

/** The changes since the last call of `takeChanges`. */
export interface PageChanges {
  /** Changed pages, not copied: valid until the next write to the file. */
  readonly pages: readonly (readonly [index: number, page: Bytes])[];
  /** The size of the file in bytes. Pages from `ceil(size / PAGE_SIZE)` are removed. */
  readonly size: number;
}

/**
 * A file of pages. When the file grows, every new page is a changed page of zeros. Bytes of the last page after the end
 * are zeros.
 */
export class PagedFile implements SyncFile {
  readonly #pages: Bytes[];
  readonly #changed = new Set<number>();
  #size: number;
  #takenSize: number;
  #isClosed = false;

  /** Takes ownership of `pages`, which count as unchanged. */
  constructor(pages: Bytes[] = [], size = 0) {
    this.#pages = pages;
    this.#size = size;
    this.#takenSize = size;
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0 || this.#size !== this.#takenSize;
  }

  /** Returns the changes since the last call, or since the file was created. */
  takeChanges(): PageChanges {
    const pages = [...this.#changed].map((index) => [index, this.#pages[index]!] as const);
    this.#changed.clear();
    this.#takenSize = this.#size;
    return { pages, size: this.#size };
  }

  read(buffer: Uint8Array, { at }: { at: number }): number {
    this.#check();
    const end = Math.max(at, Math.min(this.#size, at + buffer.length));
    for (const { index, from, to, offset } of parts(at, end)) {
      buffer.set(this.#pages[index]!.subarray(from, to), offset);
    }
    return end - at;
  }

  write(buffer: Uint8Array, { at }: { at: number }): number {
    this.#check();
    if (buffer.length === 0) {
      return 0;
    }
    const end = at + buffer.length;
    this.#grow(end);
    for (const { index, from, to, offset } of parts(at, end)) {
      this.#pages[index]!.set(buffer.subarray(offset, offset + to - from), from);
      this.#changed.add(index);
    }
    return buffer.length;
  }

  truncate(size: number): void {
    this.#check();
    this.#grow(size);
    const count = Math.ceil(size / PAGE_SIZE);
    for (let index = count; index < this.#pages.length; index++) {
      this.#changed.delete(index);
    }
    this.#pages.length = count;
    if (size < this.#size && size % PAGE_SIZE > 0) {
      this.#pages[count - 1]!.fill(0, size % PAGE_SIZE);
      this.#changed.add(count - 1);
    }
    this.#size = size;
  }

  getSize(): number {
    this.#check();
    return this.#size;
  }

  /** Does nothing. The caller of {@link takeChanges} makes the changes durable. */
  flush(): void {
    this.#check();
  }

  /** Frees the content. Afterwards every method of `SyncFile` throws `Closed`. */
  close(): void {
    this.#isClosed = true;
    this.#pages.length = 0;
    this.#changed.clear();
  }

  #grow(size: number): void {
    const count = Math.ceil(size / PAGE_SIZE);
    for (let index = this.#pages.length; index < count; index++) {
      this.#pages.push(new Uint8Array(PAGE_SIZE));
      this.#changed.add(index);
    }
    this.#size = Math.max(this.#size, size);
  }

  #check(): void {
    if (this.#isClosed) {
      throw new RepoError('Closed', 'the file is closed: open the repository again');
    }
  }
}

/** Yields the pages of a byte range: the index, the part `from`..`to` of the page, and its offset in the range. */
function* parts(start: number, end: number): Iterable<{ index: number; from: number; to: number; offset: number }> {
  for (let at = start; at < end; ) {
    const index = Math.floor(at / PAGE_SIZE);
    const from = at - index * PAGE_SIZE;
    const to = Math.min(PAGE_SIZE, end - index * PAGE_SIZE);
    yield { index, from, to, offset: at - start };
    at += to - from;
  }
}
