/**
 * A whole database as the only transaction of a WAL. With it, a rewritten database replaces the old one atomically.
 * Before {@link LogImage.seal}, the WAL has no header, so SQLite takes it for empty. Afterwards, it is like the WAL of
 * a crash, and the next opening recovers the new database.
 *
 * SQLite sees a file of pages. Each page is stored after 24 bytes for the header of its frame.
 */
import { RepoError } from '../../core/errors.ts';
import { BufferedFile } from './buffered-file.ts';
import type { SyncFile } from './database-files.ts';
import { WAL, READ_VERSION, WRITE_VERSION } from './header.ts';
import { addToSums, FRAME_HEADER, LOG_HEADER, LOG_MAGIC, LOG_VERSION } from './log-format.ts';
import { writeAll } from './write-all.ts';

/** SQLite reserves the page of this byte for locks and never writes it. */
const LOCK_BYTE = 0x4000_0000;
/** Bytes per read and write while frame headers are added. */
const BATCH_BYTES = 1 << 20;

export class LogImage implements SyncFile {
  readonly #wal: SyncFile;
  readonly #frames: BufferedFile;
  readonly #pageSize: number;
  readonly #frame: Uint8Array;
  #pageCount = 0;

  /** @param wal Must be durably empty, because frames of an older WAL would be read as part of this one. */
  constructor(wal: SyncFile, pageSize: number) {
    this.#wal = wal;
    this.#frames = new BufferedFile(wal);
    this.#pageSize = pageSize;
    this.#frame = new Uint8Array(FRAME_HEADER + pageSize);
  }

  read(buffer: Uint8Array, { at }: { at: number }): number {
    const { page, from } = this.#pageAt(at, buffer.length);
    const isStored = page <= this.#pageCount;
    return isStored ? this.#frames.read(buffer, { at: this.#frameAt(page) + FRAME_HEADER + from }) : 0;
  }

  write(buffer: Uint8Array, { at }: { at: number }): number {
    const { page } = this.#pageAt(at, buffer.length);
    if (buffer.length !== this.#pageSize) {
      throw new RepoError(
        'StorageFailed',
        `cannot rewrite the database: SQLite wrote a part of a page. Report it, and use gc without compact; at=${at} bytes=${buffer.length}`,
      );
    }
    this.#frame.set(buffer, FRAME_HEADER);
    this.#pageCount = Math.max(this.#pageCount, page);
    writeAll(this.#frames, this.#frame, this.#frameAt(page));
    return buffer.length;
  }

  truncate(size: number): void {
    this.#pageCount = Math.ceil(size / this.#pageSize);
    this.#frames.truncate(this.#end);
  }

  getSize(): number {
    return this.#pageCount * this.#pageSize;
  }

  /** Does nothing: {@link seal} makes all of it durable. */
  flush(): void {}

  /** Completes the WAL, durably and atomically. */
  seal(): void {
    this.#frames.writeOut();
    const header = newHeader(this.#pageSize);
    this.#writeFrameHeaders(header);
    this.#wal.flush();
    writeAll(this.#wal, header, 0);
    this.#wal.flush();
  }

  /** Empties the WAL. The database stays unchanged. */
  discard(): void {
    this.#frames.truncate(0);
    this.#wal.flush();
  }

  #writeFrameHeaders(header: Uint8Array): void {
    const length = this.#frame.length;
    const batch = new Uint8Array(Math.max(1, Math.floor(BATCH_BYTES / length)) * length);
    let sums = addToSums([0, 0], header, 0, LOG_HEADER - 8, false);
    let page = 0;
    for (let at = LOG_HEADER; at < this.#end; at += batch.length) {
      const part = batch.subarray(0, Math.min(batch.length, this.#end - at));
      if (this.#wal.read(part, { at }) !== part.length) {
        throw new RepoError(
          'StorageFailed',
          `cannot rewrite the database: the WAL ended early. Check the disk, and try again; at=${at}`,
        );
      }
      for (let start = 0; start < part.length; start += length) {
        page += page + 1 === this.#lockPage ? 2 : 1;
        const frame = part.subarray(start, start + length);
        if (page === 1) {
          // As SQLite writes it to a WAL.
          frame[FRAME_HEADER + WRITE_VERSION] = WAL;
          frame[FRAME_HEADER + READ_VERSION] = WAL;
        }
        const view = new DataView(frame.buffer, frame.byteOffset);
        view.setUint32(0, page);
        view.setUint32(4, page === this.#pageCount ? page : 0);
        frame.set(header.subarray(16, 24), 8);
        sums = addToSums(sums, frame, 0, 8, false);
        sums = addToSums(sums, frame, FRAME_HEADER, length, false);
        view.setUint32(16, sums[0]);
        view.setUint32(20, sums[1]);
      }
      writeAll(this.#wal, part, at);
    }
  }

  get #lockPage(): number {
    return LOCK_BYTE / this.#pageSize + 1;
  }

  /** The end of the last frame. */
  get #end(): number {
    return this.#pageCount === 0 ? 0 : this.#frameAt(this.#pageCount) + this.#frame.length;
  }

  #frameAt(page: number): number {
    return LOG_HEADER + (page - (page > this.#lockPage ? 2 : 1)) * this.#frame.length;
  }

  #pageAt(at: number, length: number): { readonly page: number; readonly from: number } {
    const from = at % this.#pageSize;
    if (from + length > this.#pageSize) {
      throw new RepoError(
        'StorageFailed',
        `cannot rewrite the database: SQLite used a part of two pages. Report it, and use gc without compact; at=${at} bytes=${length}`,
      );
    }
    return { page: Math.floor(at / this.#pageSize) + 1, from };
  }
}

const newHeader = (pageSize: number): Uint8Array => {
  const header = new Uint8Array(LOG_HEADER);
  const view = new DataView(header.buffer);
  view.setUint32(0, LOG_MAGIC);
  view.setUint32(4, LOG_VERSION);
  view.setUint32(8, pageSize);
  crypto.getRandomValues(header.subarray(16, 24));
  const [first, second] = addToSums([0, 0], header, 0, LOG_HEADER - 8, false);
  view.setUint32(24, first);
  view.setUint32(28, second);
  return header;
};
