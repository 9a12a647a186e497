/** The WebAssembly module of `assembly/sha256.ts`. */
import type { Bytes } from '../../core/data/bytes.ts';
import { SHA256_WASM } from './sha256-wasm.ts';

/** The exports of the module. */
export interface Sha256Exports {
  readonly memory: WebAssembly.Memory;
  /** Returns the start of the caller's memory. */
  base(): number;
  hash(jobs: number, count: number, digests: number): void;
  append(state: number, chunks: number, count: number): void;
}

const PAGE_SIZE: number = 64 * 1024;

const decodeBase64 = (text: string): Bytes => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/**
 * Compiles the module, 2.8 kB, in under a millisecond. Each instance has its own memory. Returns `undefined` without
 * SIMD or if WebAssembly is not allowed.
 */
export const instantiateSha256 = (): Sha256Exports | undefined => {
  const code = decodeBase64(SHA256_WASM);
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(code)) {
    return undefined;
  }
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(code)).exports as unknown as Sha256Exports;
  } catch {
    // The page's policy forbids WebAssembly, so JavaScript hashes.
    return undefined;
  }
};

/** Enlarges the memory so that it has the bytes before `end`. Make views of it afterwards. */
export const growTo = ({ memory }: Sha256Exports, end: number): void => {
  memory.grow(Math.max(0, Math.ceil((end - memory.buffer.byteLength) / PAGE_SIZE)));
};
