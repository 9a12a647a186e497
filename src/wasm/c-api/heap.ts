/** The instance's linear memory. Nobody else makes views of it. */
import type { Bytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import type { CApi, Pointer } from './c-api.ts';

const encoder = /* @__PURE__ */ new TextEncoder();
// The mark at the beginning of a text is a part of it.
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

/** UTF-16 code units that take at most this many bytes each in UTF-8. */
const MAX_BYTES_A_UNIT = 3;

/**
 * Views answered here hold until the next call into WebAssembly: memory that grows leaves every older view with
 * nothing behind it. So they are asked for anew each time, and never kept.
 */
export class Heap {
  readonly #api: CApi;
  readonly #memory: WebAssembly.Memory;
  #bytes: Bytes;
  #words: Int32Array<ArrayBuffer>;

  constructor(api: CApi, memory: WebAssembly.Memory) {
    this.#api = api;
    this.#memory = memory;
    const buffer = memory.buffer as ArrayBuffer;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
  }

  /** The whole memory. */
  get bytes(): Bytes {
    this.#refresh();
    return this.#bytes;
  }

  /** A view of some bytes, for a callee that is done with it when it returns. */
  view(pointer: Pointer, length: number): Bytes {
    return this.bytes.subarray(pointer, pointer + length);
  }

  /** A copy of some bytes, which belongs to the caller. */
  copy(pointer: Pointer, length: number): Bytes {
    return this.bytes.slice(pointer, pointer + length);
  }

  /** The 32 bits at an address that is a multiple of four, with a sign. */
  word(pointer: Pointer): number {
    this.#refresh();
    return this.#words[pointer >> 2]!;
  }

  setWord(pointer: Pointer, value: number): void {
    this.#refresh();
    this.#words[pointer >> 2] = value;
  }

  /** A 64-bit integer, low word first. `value` is not negative and exact. */
  setLong(pointer: Pointer, value: number): void {
    this.setWord(pointer, value % 2 ** 32);
    this.setWord(pointer + 4, Math.floor(value / 2 ** 32));
  }

  /** UTF-8 as text; what is not UTF-8 becomes U+FFFD. */
  text(pointer: Pointer, length: number): string {
    return decoder.decode(this.view(pointer, length));
  }

  /** Text that ends with a zero byte. */
  cText(pointer: Pointer): string {
    const bytes = this.bytes;
    return decoder.decode(bytes.subarray(pointer, bytes.indexOf(0, pointer)));
  }

  /** The most that {@link setText} can write for this text. */
  roomFor(text: string): number {
    return text.length * MAX_BYTES_A_UNIT;
  }

  /** Writes a text as UTF-8 where there is {@link roomFor} it; answers how many bytes it took. */
  setText(pointer: Pointer, text: string): number {
    return encoder.encodeInto(text, this.view(pointer, this.roomFor(text))).written;
  }

  /**
   * Calls with a text that ends with a zero byte, and is gone afterwards. What `run` throws is a trap, after which
   * nothing is given back.
   */
  withCText<T>(text: string, run: (pointer: Pointer) => T): T {
    const pointer = this.allocate(this.roomFor(text) + 1);
    this.bytes[pointer + this.setText(pointer, text)] = 0;
    const answer = run(pointer);
    this.free(pointer);
    return answer;
  }

  /** @throws {RepoError} `StorageFailed` when the memory is used up. */
  allocate(size: number): Pointer {
    const pointer = this.#api.malloc(size);
    if (pointer === 0) {
      throw new RepoError('StorageFailed', `out of memory; size=${size}`);
    }
    return pointer;
  }

  free(pointer: Pointer): void {
    this.#api.free(pointer);
  }

  /** A view that lost its memory has length 0; asking that costs less than asking for the buffer each time. */
  #refresh(): void {
    if (this.#bytes.length === 0) {
      const buffer = this.#memory.buffer as ArrayBuffer;
      this.#bytes = new Uint8Array(buffer);
      this.#words = new Int32Array(buffer);
    }
  }
}
