/**
 * The blocks of a `COPY` of keys and bytes in the binary format, which come in chunks.
 * https://www.postgresql.org/docs/current/sql-copy.html
 */
import { PackedBlocks } from '../../core/blocks/packed-blocks.ts';
import { CID_LENGTH } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { cidBytesOfKey } from './ordered-cid.ts';

const SIGNATURE = 'PGCOPY\n\xff\r\n\0';
const FIELDS = 2;

/** The bytes of a row besides those of its block: the number of fields, two lengths and the key. */
export const ROW_OVERHEAD: number = 2 + 4 + CID_LENGTH + 4;

const unreadable = (): RepoError =>
  new RepoError(
    'StorageFailed',
    'PostgreSQL sent a COPY in an unknown format: read with another version of the server',
  );

export class CopiedBlocks {
  #memory: Uint8Array<ArrayBuffer>;
  #size = 0;
  #hasHeader = false;

  /** @param expected The number of bytes that will probably come. */
  constructor(expected: number) {
    this.#memory = new Uint8Array(expected);
  }

  /** The number of bytes that came and were not taken. */
  get size(): number {
    return this.#size;
  }

  add(chunk: Uint8Array): void {
    const end = this.#size + chunk.length;
    if (end > this.#memory.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#memory.length));
      larger.set(this.#memory.subarray(0, this.#size));
      this.#memory = larger;
    }
    this.#memory.set(chunk, this.#size);
    this.#size = end;
  }

  /** Returns the blocks that have come as a whole. `expected` is the number of bytes that will probably follow. */
  take(expected: number): PackedBlocks {
    const { blocks, end } = this.#unpack();
    const rest = this.#memory.subarray(end, this.#size);
    this.#memory = new Uint8Array(Math.max(expected, rest.length));
    this.#memory.set(rest);
    this.#size = rest.length;
    return blocks;
  }

  /**
   * Returns the blocks that were not taken.
   * @throws {RepoError} `StorageFailed` if the `COPY` does not end here.
   */
  end(): PackedBlocks {
    const { blocks, end, isEnd } = this.#unpack();
    if (!isEnd || end + 2 !== this.#size) {
      throw unreadable();
    }
    return blocks;
  }

  /** Writes each CID before its block, up to `end`. */
  #unpack(): { readonly blocks: PackedBlocks; readonly end: number; readonly isEnd: boolean } {
    const memory = this.#memory.subarray(0, this.#size);
    const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
    const blocks = new PackedBlocks(memory);
    let at = this.#hasHeader ? 0 : headerEnd(memory, view);
    this.#hasHeader = true;
    while (at + ROW_OVERHEAD <= memory.length && view.getInt16(at) === FIELDS) {
      const keyStart = at + 6;
      if (view.getInt32(at + 2) !== CID_LENGTH) {
        throw unreadable();
      }
      const start = keyStart + CID_LENGTH + 4;
      const end = start + view.getInt32(start - 4);
      if (end > memory.length) {
        break;
      }
      memory.set(cidBytesOfKey(memory.subarray(keyStart, keyStart + CID_LENGTH)), start - CID_LENGTH);
      blocks.push(start, end);
      at = end;
    }
    const isEnd = at + 2 <= memory.length && view.getInt16(at) === -1;
    return { blocks, end: at, isEnd };
  }
}

/** Returns the end of the signature, 4 bytes of flags, and an extension with its length. */
const headerEnd = (memory: Uint8Array, view: DataView): number => {
  const lengthAt = SIGNATURE.length + 4;
  if (memory.length < lengthAt + 4 || String.fromCharCode(...memory.subarray(0, SIGNATURE.length)) !== SIGNATURE) {
    throw unreadable();
  }
  return lengthAt + 4 + view.getUint32(lengthAt);
};
