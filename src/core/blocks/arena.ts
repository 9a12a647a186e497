/**
 * Memory for the chunks of a stream until their blocks are written. `clear` makes it reusable: without reuse, dropped
 * chunks wait for the garbage collector while others arrive. In five runs each, a streamed import of 200,000 records
 * peaked at 242 to 253 MB with the arena, and at 239 to 292 MB without it.
 */
import { CID_LENGTH } from '../data/cid.ts';
import { PackedBlocks } from './packed-blocks.ts';

/** Larger memory is not a chunk but a whole CAR, which the caller has in memory. */
export const LARGEST_CHUNK: number = 4 * 1024 * 1024;

/**
 * Size of the first segment, for a small repository. Each next one is twice as large, up to {@link LARGEST_SIZE}, so
 * that the unused rest stays small.
 */
const FIRST_SIZE: number = 64 * 1024;
const LARGEST_SIZE: number = 1024 * 1024;

export class Arena {
  readonly hasCids = true;
  readonly #segments: Uint8Array[] = [];
  /** The segment that is being filled, and the offset of its free part. */
  #segment = 0;
  #at = 0;

  /**
   * Returns blocks that stay valid until `clear`: copies of the blocks of a chunk, or the given blocks of a whole CAR.
   * `blocks` is not empty.
   */
  keep(blocks: PackedBlocks): PackedBlocks {
    const { memory, starts, ends } = blocks;
    if (memory.length > LARGEST_CHUNK) {
      return blocks;
    }
    const from = starts[0]! - CID_LENGTH;
    const chunk = memory.subarray(from, ends.at(-1));
    const segment = this.#segmentFor(chunk.length);
    segment.set(chunk, this.#at);
    const kept = new PackedBlocks(segment);
    const shift = this.#at - from;
    for (let i = 0; i < starts.length; i++) {
      kept.push(starts[i]! + shift, ends[i]! + shift);
    }
    this.#at += chunk.length;
    return kept;
  }

  /** Drops all blocks. Later blocks overwrite them. Keeps at most `most` bytes. */
  clear(most: number): void {
    let kept = 0;
    const length = this.#segments.findIndex((segment) => (kept += segment.length) > most);
    this.#segments.length = length < 0 ? this.#segments.length : length;
    this.#segment = 0;
    this.#at = 0;
  }

  /** Returns a segment with `size` free bytes at `#at`. */
  #segmentFor(size: number): Uint8Array {
    for (; this.#segment < this.#segments.length; this.#segment++, this.#at = 0) {
      const segment = this.#segments[this.#segment]!;
      if (this.#at + size <= segment.length) {
        return segment;
      }
    }
    const last = this.#segments.at(-1)?.length ?? FIRST_SIZE / 2;
    const segment = new Uint8Array(Math.max(size, Math.min(2 * last, LARGEST_SIZE)));
    this.#segments.push(segment);
    return segment;
  }
}
