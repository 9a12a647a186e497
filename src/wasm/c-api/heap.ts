/** The linear memory of the instance. All views of it are made here. */
import type { Bytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import type { CApi, Pointer } from './c-api.ts';

const encoder = /* @__PURE__ */ new TextEncoder();
// A byte order mark is part of the text.
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { ignoreBOM: true });

/** Most UTF-8 bytes per UTF-16 code unit. */
const MAX_BYTES_PER_UNIT = 3;

/**
 * Returned views are valid until the next call into WebAssembly, because growing memory detaches all older views. Do
 * not store them.
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

  /** Returns a view of bytes, for a callee that does not keep it. */
  view(pointer: Pointer, length: number): Bytes {
    return this.bytes.subarray(pointer, pointer + length);
  }

  /** Returns a copy of bytes. */
  copy(pointer: Pointer, length: number): Bytes {
    return this.bytes.slice(pointer, pointer + length);
  }

  /** Returns the signed 32-bit integer at an address that is a multiple of four. */
  word(pointer: Pointer): number {
    this.#refresh();
    return this.#words[pointer >> 2]!;
  }

  /** Returns the first address from `from` and below `until` of this word, or `undefined`. */
  findWord(value: number, from: Pointer, until: Pointer): Pointer | undefined {
    this.#refresh();
    const at = this.#words.subarray(0, until >> 2).indexOf(value, from >> 2);
    return at === -1 ? undefined : at << 2;
  }

  setWord(pointer: Pointer, value: number): void {
    this.#refresh();
    this.#words[pointer >> 2] = value;
  }

  /** Writes a 64-bit integer, low word first. `value` is a safe integer from 0. */
  setLong(pointer: Pointer, value: number): void {
    this.setWord(pointer, value % 2 ** 32);
    this.setWord(pointer + 4, Math.floor(value / 2 ** 32));
  }

  /** Decodes UTF-8. Invalid bytes become U+FFFD. */
  text(pointer: Pointer, length: number): string {
    return decoder.decode(this.view(pointer, length));
  }

  /** Decodes a text that ends with a zero byte. */
  cText(pointer: Pointer): string {
    const bytes = this.bytes;
    return decoder.decode(bytes.subarray(pointer, bytes.indexOf(0, pointer)));
  }

  /** Returns the most bytes that {@link setText} writes for a text. */
  roomFor(text: string): number {
    return text.length * MAX_BYTES_PER_UNIT;
  }

  /** Writes a text as UTF-8, where {@link roomFor} bytes are free. Returns the number of bytes. */
  setText(pointer: Pointer, text: string): number {
    return encoder.encodeInto(text, this.view(pointer, this.roomFor(text))).written;
  }

  /**
   * Calls `run` with a copy of a text that ends with a zero byte, then frees it. If `run` throws, WebAssembly has
   * trapped, and nothing is freed.
   */
  withCText<T>(text: string, run: (pointer: Pointer) => T): T {
    const pointer = this.allocate(this.roomFor(text) + 1);
    this.bytes[pointer + this.setText(pointer, text)] = 0;
    const result = run(pointer);
    this.free(pointer);
    return result;
  }

  /** @throws {RepoError} `StorageFailed` when memory is exhausted. */
  allocate(size: number): Pointer {
    const pointer = this.#api.malloc(size);
    if (pointer === 0) {
      throw new RepoError('StorageFailed', `SQLite is out of memory: close other databases; size=${size}`);
    }
    return pointer;
  }

  free(pointer: Pointer): void {
    this.#api.free(pointer);
  }

  /** A detached view has length 0. Testing that is faster than reading the buffer each time. */
  #refresh(): void {
    if (this.#bytes.length === 0) {
      const buffer = this.#memory.buffer as ArrayBuffer;
      this.#bytes = new Uint8Array(buffer);
      this.#words = new Int32Array(buffer);
    }
  }
}
