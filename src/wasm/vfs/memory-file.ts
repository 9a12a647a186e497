/** Files in memory. */
import type { DatabaseFiles, SyncFile } from './database-files.ts';

/** Bytes per part. With parts, growing copies nothing. */
const PART: number = 256 * 1024;

export class MemoryFile implements SyncFile {
  readonly #parts: Uint8Array[] = [];
  #size = 0;

  read(buffer: Uint8Array, { at }: { at: number }): number {
    const length = Math.max(0, Math.min(buffer.length, this.#size - at));
    for (let done = 0; done < length; ) {
      const { part, from } = this.#partAt(at + done);
      const chunk = part.subarray(from, from + length - done);
      buffer.set(chunk, done);
      done += chunk.length;
    }
    return length;
  }

  write(buffer: Uint8Array, { at }: { at: number }): number {
    this.#grow(at + buffer.length);
    for (let done = 0; done < buffer.length; ) {
      const { part, from } = this.#partAt(at + done);
      const chunk = buffer.subarray(done, done + PART - from);
      part.set(chunk, from);
      done += chunk.length;
    }
    return buffer.length;
  }

  truncate(size: number): void {
    this.#grow(size);
    this.#parts.length = Math.ceil(size / PART);
    // Truncated bytes must read as zeros when the file grows again.
    this.#parts.at(-1)?.fill(0, size - (this.#parts.length - 1) * PART);
    this.#size = size;
  }

  getSize(): number {
    return this.#size;
  }

  flush(): void {
    // Memory is never durable.
  }

  #grow(size: number): void {
    while (this.#parts.length * PART < size) {
      this.#parts.push(new Uint8Array(PART));
    }
    this.#size = Math.max(this.#size, size);
  }

  #partAt(at: number): { readonly part: Uint8Array; readonly from: number } {
    return { part: this.#parts[Math.floor(at / PART)]!, from: at % PART };
  }
}

const resolved = (): Promise<void> => Promise.resolve();

/** Returns the files of a database in memory. */
export const memoryFiles = (
  durableOn: DatabaseFiles['durableOn'],
  main: SyncFile = new MemoryFile(),
): DatabaseFiles => ({
  main,
  journal: new MemoryFile(),
  wal: new MemoryFile(),
  durableOn,
  persist: resolved,
  close: resolved,
  [Symbol.asyncDispose]: resolved,
});
