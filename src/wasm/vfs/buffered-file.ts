/**
 * A file whose writes go out together where they follow each other. SQLite writes its log in pieces of 24 and 4096
 * bytes, and a checkpoint page after page: 45 MB took 33,000 calls of the system, of some 15 µs each, where these
 * pieces are 360.
 *
 * What was written and not flushed is promised to nobody. A write that fails only when it goes out fails in the
 * transaction, or the checkpoint, that it belongs to: nothing is held across the end of either, and each undoes itself
 * when a flush is refused.
 */
import type { SyncFile } from './database-files.ts';
import { writeAll } from './write-all.ts';

/** Bytes that are held at most. */
const ROOM: number = 256 * 1024;

/**
 * Buffers that no file holds at the moment. A file needs one only between a write and the next flush: two hundred open
 * repositories that kept theirs held 150 MB.
 */
const spare: Uint8Array[] = [];
const MAX_SPARE = 4;

export class BufferedFile implements SyncFile {
  readonly #file: SyncFile;
  /** Taken for the first write, and given back when all is sent. */
  #held: Uint8Array | undefined;
  /** Where what is held begins, and how many bytes it has. */
  #start = 0;
  #length = 0;
  /** What an earlier process has left in the file may never have been flushed. */
  #isFlushed = false;
  #end = 0;
  /** The first byte that was written since the last `mark`. */
  #lowest = Infinity;

  constructor(file: SyncFile) {
    this.#file = file;
  }

  /** Where the last write ended; 0 before the first one, and after the file was emptied. */
  get end(): number {
    return this.#end;
  }

  read(buffer: Uint8Array, options: { at: number }): number {
    const { at } = options;
    if (this.#length > 0 && at < this.#start + this.#length && at + buffer.length > this.#start) {
      this.send();
    }
    return this.#file.read(buffer, options);
  }

  write(buffer: Uint8Array, { at }: { at: number }): number {
    const { length } = buffer;
    this.#isFlushed = false;
    if (this.#length > 0 && (at !== this.#start + this.#length || this.#length + length > ROOM)) {
      this.send();
    }
    this.#end = at + length;
    this.#lowest = Math.min(this.#lowest, at);
    if (length > ROOM) {
      writeAll(this.#file, buffer, at);
      return length;
    }
    this.#held ??= spare.pop() ?? new Uint8Array(ROOM);
    if (this.#length === 0) {
      this.#start = at;
    }
    this.#held.set(buffer, this.#length);
    this.#length += length;
    return length;
  }

  truncate(size: number): void {
    this.#isFlushed = false;
    this.send();
    this.#file.truncate(size);
    this.#end = Math.min(this.#end, size);
  }

  /** What is written from here on can be taken back. */
  mark(): void {
    this.#lowest = Infinity;
  }

  /** Cuts off all that was written since the mark, durably. */
  takeBack(): void {
    this.#length = 0;
    this.#giveBack();
    if (this.#lowest < this.#file.getSize()) {
      this.truncate(this.#lowest);
      this.flush();
    }
  }

  getSize(): number {
    return Math.max(this.#file.getSize(), this.#length === 0 ? 0 : this.#start + this.#length);
  }

  /**
   * Nothing is asked of the disk where nothing was written since the last time: a checkpoint flushes the log that a
   * commit has just flushed.
   */
  flush(): void {
    this.send();
    if (!this.#isFlushed) {
      this.#file.flush();
      this.#isFlushed = true;
    }
  }

  /**
   * Lets go out what is held. Forgotten before that: after a failure SQLite undoes what it belonged to, and it must not
   * come out later.
   */
  send(): void {
    const length = this.#length;
    if (length > 0) {
      this.#length = 0;
      try {
        writeAll(this.#file, this.#held!.subarray(0, length), this.#start);
      } finally {
        this.#giveBack();
      }
    }
  }

  #giveBack(): void {
    if (this.#held !== undefined && spare.length < MAX_SPARE) {
      spare.push(this.#held);
    }
    this.#held = undefined;
  }
}
