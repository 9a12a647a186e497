/**
 * A `Blob` whose bytes are read when they are needed. A script cannot make such a `Blob` of the platform, so this is an
 * object with its interface. The platform does not accept it where it needs a `Blob` of its own; there, use `stream()`
 * or `arrayBuffer()`. It fails there, because the platform would otherwise store an empty file or the text
 * `[object Blob]`.
 */
import type { Bytes } from '../data/bytes.ts';
import { concatBytes } from '../data/bytes.ts';
import { listOf } from '../data/list-of.ts';
import { byteStream } from '../data/streams.ts';

/** Yields the bytes from `start` up to, but not including, `end`. */
export type ReadBytes = (start: number, end: number) => AsyncIterable<Bytes>;

/** Returns a position in a blob, by the rules of `Blob.slice`: counted from the end if it is negative. */
const positionOf = (given: number | undefined, size: number, none: number): number => {
  if (given === undefined) {
    return none;
  }
  const whole = Number.isNaN(given) ? 0 : Math.trunc(given);
  return whole < 0 ? Math.max(size + whole, 0) : Math.min(whole, size);
};

export class LazyBlob implements Blob {
  readonly #read: ReadBytes;
  readonly #start: number;
  readonly size: number;
  readonly type: string;
  /** An own function, so that `structuredClone` and `postMessage` throw, and do not copy an empty object. */
  readonly stream: () => ReadableStream<Bytes>;

  constructor(read: ReadBytes, start: number, size: number, type: string) {
    this.#read = read;
    this.#start = start;
    this.size = size;
    this.type = /^[ -~]*$/.test(type) ? type.toLowerCase() : '';
    this.stream = () => byteStream(read(start, start + size));
  }

  slice(start?: number, end?: number, type = ''): Blob {
    const from = positionOf(start, this.size, 0);
    const to = positionOf(end, this.size, this.size);
    return new LazyBlob(this.#read, this.#start + from, Math.max(to - from, 0), type);
  }

  async bytes(): Promise<Bytes> {
    return concatBytes(await listOf(this.#read(this.#start, this.#start + this.size)));
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }

  get [Symbol.toStringTag](): string {
    return 'Blob';
  }

  /** `new Response(blob)` and `new Blob([blob])` convert an unknown object to text. */
  [Symbol.toPrimitive](): never {
    throw new TypeError('a stored blob is not a Blob of the platform: pass blob.stream() or await blob.arrayBuffer()');
  }
}
