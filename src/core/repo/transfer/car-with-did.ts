import type { CarSource } from '../../car/source.ts';
import { toChunks } from '../../car/source.ts';
import { copyBytes } from '../../data/bytes.ts';
import type { Bytes } from '../../data/bytes.ts';
import { isBlob, isBytes } from '../../data/platform-values.ts';
import { RepoError } from '../../errors.ts';
import type { ImportOptions } from '../long-work.ts';
import { didOfCar } from './did-of-car.ts';

/**
 * Bytes of a stream that are held in memory until its commit has come. Servers send the commit first, or nearly so; a
 * CAR where it is at the end can be given as a `Blob`, which is read twice.
 */
export const MAX_CAR_LOOKAHEAD: number = 64 * 1024 * 1024;

/** A CAR of which the account is known. */
export interface CarWithDid {
  readonly did: string;
  /** The whole CAR, to be read once. */
  readonly source: CarSource;
  /** Lets go of the source, wherever it is. */
  close(): Promise<void>;
}

/** A source of chunks that can be stopped and gone on with. */
class HeldChunks {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #held: Bytes[] = [];
  #size = 0;

  constructor(source: CarSource) {
    this.#chunks = toChunks(source)[Symbol.asyncIterator]();
  }

  /** The chunks, held; stopping early leaves the source where it is. */
  readonly first: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const step = await this.#chunks.next();
        if (step.done !== true) {
          this.#hold(step.value);
        }
        return step;
      },
      return: async () => ({ done: true, value: undefined }),
    }),
  };

  /** All chunks from the beginning. */
  async *all(): AsyncGenerator<Uint8Array> {
    try {
      for (let chunk = this.#held.shift(); chunk !== undefined; chunk = this.#held.shift()) {
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

  #hold(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > MAX_CAR_LOOKAHEAD) {
      throw new RepoError(
        'LimitExceeded',
        `the commit is not among the first ${MAX_CAR_LOOKAHEAD} bytes of the CAR: give the CAR as a Blob`,
      );
    }
    // A copy, because the source may use the memory again.
    this.#held.push(copyBytes(chunk));
  }
}

/**
 * The account that a CAR is of, and the CAR from its beginning. Bytes and a `Blob` are read twice; of a stream, what
 * comes before its commit is held in memory.
 * @throws {RepoError} as {@link didOfCar} does; `LimitExceeded` when the commit of a stream comes too late.
 */
export const carWithDid = async (source: CarSource, { signal, maxSize }: ImportOptions): Promise<CarWithDid> => {
  const options = { signal, maxSize };
  if (isBytes(source) || isBlob(source)) {
    return { did: await didOfCar(source, options), source, close: async () => undefined };
  }
  const chunks = new HeldChunks(source);
  try {
    return { did: await didOfCar(chunks.first, options), source: chunks.all(), close: () => chunks.close() };
  } catch (error) {
    await chunks.close();
    throw error;
  }
};
