/**
 * SHA-256 of one long message that comes in parts, in WebAssembly (`assembly/sha256.ts`). In Node, it takes half of the
 * time of JavaScript, and four to five times as long as the platform's own hash.
 */
import type { Sha256Stream } from '../../core/data/sha256.ts';
import { DIGEST_LENGTH, sha256Stream as streamInJavaScript } from '../../core/data/sha256.ts';
import { growTo, instantiateSha256 } from './sha256-module.ts';

const CHUNK_SIZE = 64;
/** The module reads up to three chunks more than it hashes. */
const READ_AHEAD: number = 3 * CHUNK_SIZE;
/** Bytes of a message per call. */
const ARENA_SIZE: number = 64 * 1024;
/** The length of a message, in bits, is in the last bytes of its last chunk. */
const LENGTH_SIZE = 8;
const BITS = 8;
/** The first byte after a message. */
const END_OF_MESSAGE = 0x80;

/** The initial state: fractional parts of the square roots of the first eight primes. */
const INITIAL: readonly number[] = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/** The module, and views of its memory. All hashes share it: it keeps nothing between two calls. */
interface Chunks {
  readonly state: Uint32Array;
  readonly arena: Uint8Array;
  /** Adds the first `count` chunks of the arena to the state. */
  append(count: number): void;
}

const loadChunks = (): Chunks | undefined => {
  const module = instantiateSha256();
  if (module === undefined) {
    return undefined;
  }
  const state = Math.ceil(module.base() / CHUNK_SIZE) * CHUNK_SIZE;
  const arena = state + CHUNK_SIZE;
  growTo(module, arena + ARENA_SIZE + READ_AHEAD);
  const { buffer } = module.memory;
  return {
    state: new Uint32Array(buffer, state, INITIAL.length),
    arena: new Uint8Array(buffer, arena, ARENA_SIZE),
    append: (count) => module.append(state, arena, count),
  };
};

class ChunkedSha256 implements Sha256Stream {
  readonly #chunks: Chunks;
  readonly #state: Uint32Array = Uint32Array.from(INITIAL);
  /** The bytes after the last whole chunk. */
  readonly #rest: Uint8Array = new Uint8Array(CHUNK_SIZE);
  #restLength = 0;
  /** Number of all bytes. */
  #length = 0;
  #isEnded = false;

  constructor(chunks: Chunks) {
    this.#chunks = chunks;
  }

  update(bytes: Uint8Array): this {
    this.#assertOpen();
    this.#length += bytes.length;
    const { arena } = this.#chunks;
    let at = 0;
    while (this.#restLength + bytes.length - at >= CHUNK_SIZE) {
      const taken = Math.min(bytes.length - at, ARENA_SIZE - this.#restLength);
      arena.set(this.#rest.subarray(0, this.#restLength));
      arena.set(bytes.subarray(at, at + taken), this.#restLength);
      const size = this.#restLength + taken;
      this.#append(Math.floor(size / CHUNK_SIZE));
      this.#restLength = size % CHUNK_SIZE;
      this.#rest.set(arena.subarray(size - this.#restLength, size));
      at += taken;
    }
    this.#rest.set(bytes.subarray(at), this.#restLength);
    this.#restLength += bytes.length - at;
    return this;
  }

  digest(): Uint8Array {
    this.#assertOpen();
    this.#isEnded = true;
    const { arena } = this.#chunks;
    const used = this.#restLength + 1 + LENGTH_SIZE;
    const count = Math.ceil(used / CHUNK_SIZE);
    const size = count * CHUNK_SIZE;
    arena.fill(0, this.#restLength, size);
    arena.set(this.#rest.subarray(0, this.#restLength));
    arena[this.#restLength] = END_OF_MESSAGE;
    const end = new DataView(arena.buffer, arena.byteOffset + size - LENGTH_SIZE, LENGTH_SIZE);
    end.setBigUint64(0, BigInt(this.#length) * BigInt(BITS));
    this.#append(count);
    const digest = new DataView(new ArrayBuffer(DIGEST_LENGTH));
    this.#state.forEach((word, i) => digest.setUint32(i * Uint32Array.BYTES_PER_ELEMENT, word));
    return new Uint8Array(digest.buffer);
  }

  #append(count: number): void {
    const { append, state } = this.#chunks;
    state.set(this.#state);
    append(count);
    this.#state.set(state);
  }

  #assertOpen(): void {
    if (this.#isEnded) {
      throw new TypeError('the hash has ended: make another one');
    }
  }
}

let loaded: { readonly chunks: Chunks | undefined } | undefined;

/** Starts a hash. Without SIMD, or if WebAssembly is not allowed, it is one in JavaScript. */
export const sha256Stream = (): Sha256Stream => {
  loaded ??= { chunks: loadChunks() };
  return loaded.chunks === undefined ? streamInJavaScript() : new ChunkedSha256(loaded.chunks);
};
