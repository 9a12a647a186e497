import type { CarSource } from '../../car/source.ts';
import { toChunks } from '../../car/source.ts';
import { copyBytes } from '../../data/bytes.ts';
import type { Bytes } from '../../data/bytes.ts';
import { isBlob, isBytes } from '../../data/platform-values.ts';
import { RepoError } from '../../errors.ts';
import type { ImportOptions } from '../long-work.ts';
import { didOfCar } from './did-of-car.ts';

/**
 * Most bytes of a stream that are buffered until its commit comes. Servers send the commit near the start. A CAR with
 * the commit at the end can be passed as a `Blob`, which is read twice.
 */
export const MAX_CAR_LOOKAHEAD: number = 64 * 1024 * 1024;

/** A CAR and its account. */
export interface CarWithDid {
  readonly did: string;
  /** The whole CAR. Read it once. */
  readonly source: CarSource;
  /** Cancels the source at any position. */
  close(): Promise<void>;
}

/** A source of chunks that buffers the chunks it has read, so that they can be read again. */
class BufferedChunks {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #buffered: Bytes[] = [];
  #size = 0;

  constructor(source: CarSource) {
    this.#chunks = toChunks(source)[Symbol.asyncIterator]();
  }

  /** The chunks, buffered. Stopping early does not cancel the source. */
  readonly first: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const step = await this.#chunks.next();
        if (step.done !== true) {
          this.#buffer(step.value);
        }
        return step;
      },
      return: async () => ({ done: true, value: undefined }),
    }),
  };

  /** Yields all chunks from the beginning. */
  async *all(): AsyncGenerator<Uint8Array> {
    try {
      for (let chunk = this.#buffered.shift(); chunk !== undefined; chunk = this.#buffered.shift()) {
        yield chunk;
      }
      for (let step = await this.#chunks.next(); step.done !== true; step = await this.#chunks.next()) {
        yield step.value;
      }
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #buffer(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > MAX_CAR_LOOKAHEAD) {
      throw new RepoError(
        'LimitExceeded',
        `the commit is not in the first ${MAX_CAR_LOOKAHEAD} bytes of the CAR: pass the CAR as a Blob; read=${this.#size}`,
      );
    }
    // A copy, because the source may reuse the memory.
    this.#buffered.push(copyBytes(chunk));
  }
}

/**
 * Returns the account of a CAR, and the CAR from its beginning. Bytes and a `Blob` are read twice. A stream is buffered
 * up to its commit.
 * @throws {RepoError} as in {@link didOfCar}; `LimitExceeded` when the commit of a stream comes after
 *   `MAX_CAR_LOOKAHEAD` bytes.
 */
export const carWithDid = async (source: CarSource, { signal, maxSize }: ImportOptions): Promise<CarWithDid> => {
  const options = { signal, maxSize };
  if (isBytes(source) || isBlob(source)) {
    return { did: await didOfCar(source, options), source, close: async () => undefined };
  }
  const chunks = new BufferedChunks(source);
  try {
    return { did: await didOfCar(chunks.first, options), source: chunks.all(), close: () => chunks.close() };
  } catch (error) {
    await chunks.close();
    throw error;
  }
};
