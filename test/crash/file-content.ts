/**
 * The bytes of a simulated file. Copies share their pages, which are immutable, so a crash image takes only the memory
 * of its changes.
 */
const PAGE = 4096;
const BLANK = new Uint8Array(PAGE);

export class FileContent {
  readonly #pages: Uint8Array[];
  #size: number;

  constructor(pages: readonly Uint8Array[] = [], size = 0) {
    this.#pages = [...pages];
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  /** The bytes as pages. The last page is padded with zeros. */
  pages(): readonly Uint8Array[] {
    return this.#pages;
  }

  copy(): FileContent {
    return new FileContent(this.#pages, this.#size);
  }

  read(buffer: Uint8Array, at: number): number {
    const end = Math.max(at, Math.min(this.#size, at + buffer.length));
    for (let from = at; from < end; ) {
      const within = from % PAGE;
      const count = Math.min(PAGE - within, end - from);
      buffer.set(this.#pages[(from - within) / PAGE]!.subarray(within, within + count), from - at);
      from += count;
    }
    return end - at;
  }

  write(bytes: Uint8Array, at: number): void {
    if (bytes.length === 0) {
      return;
    }
    const end = at + bytes.length;
    this.#grow(end);
    for (let from = at; from < end; ) {
      const within = from % PAGE;
      const count = Math.min(PAGE - within, end - from);
      const index = (from - within) / PAGE;
      const page = count === PAGE ? new Uint8Array(PAGE) : this.#pages[index]!.slice();
      page.set(bytes.subarray(from - at, from - at + count), within);
      this.#pages[index] = page;
      from += count;
    }
  }

  truncate(size: number): void {
    if (size >= this.#size) {
      this.#grow(size);
      return;
    }
    this.#pages.length = Math.ceil(size / PAGE);
    if (size % PAGE > 0) {
      const last = this.#pages.at(-1)!.slice();
      last.fill(0, size % PAGE);
      this.#pages[this.#pages.length - 1] = last;
    }
    this.#size = size;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#size);
    this.read(bytes, 0);
    return bytes;
  }

  #grow(size: number): void {
    while (this.#pages.length * PAGE < size) {
      this.#pages.push(BLANK);
    }
    this.#size = Math.max(this.#size, size);
  }
}
