/**
 * Functions and streams that cross a wire by their names: the end that has them runs them when the other end calls. A
 * stream is a function that returns the next page.
 */
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { Source } from './streams.ts';
import { offerStream } from './streams.ts';
import { uniqueName } from './unique-name.ts';
import type { Names, Run } from './wire-values.ts';
import { pack } from './wire-values.ts';

/** What the other end can call, by name. The names begin with a slash. */
export type References = Map<string, Run>;

const GONE = 'the tab that had the repository open went away while a stream was read: read it again';

/** The error of a call to a reference that this end does not have: it has replaced the end that had it. */
export const goneError = (): RepoError => new RepoError('StorageFailed', GONE);

/** Whether that is the error of a call. It crosses like every other one. */
export const isGone = (error: unknown): boolean => isRepoError(error, 'StorageFailed') && error.message === GONE;

const leftError = (): RepoError =>
  new RepoError('Closed', 'the reader has ended the stream: read it again from the start');

interface Held {
  readonly name: string;
  /** Ends a stream with an error. */
  readonly end?: (error: unknown) => Promise<void>;
}

/** The references of one call, of one reply or of one page. They end together. */
export class Scope implements Names {
  signal: AbortSignal | undefined;
  readonly #references: References;
  readonly #maxBytes: number;
  readonly #onEmpty: () => void;
  /** By value, because a value that is packed again, for another end, keeps its name. */
  readonly #held = new Map<object, Held>();

  /**
   * @param maxBytes The size of a page of a stream.
   * @param onEmpty Called when the last reference has ended.
   */
  constructor(references: References, maxBytes: number, onEmpty: () => void = () => {}) {
    this.#references = references;
    this.#maxBytes = maxBytes;
    this.#onEmpty = onEmpty;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  nameOf(value: Run | Source): string {
    const name = this.#held.get(value)?.name ?? `/${uniqueName()}`;
    if (!this.#held.has(value)) {
      const offered = typeof value === 'function' ? { run: value } : this.#offer(value);
      this.#held.set(value, { name, ...offered });
      this.#references.set(name, offered.run);
    }
    return name;
  }

  /** Has every stream fail. */
  fail(error: unknown): void {
    this.#held.forEach(({ end }) => void end?.(error));
  }

  release(): void {
    this.fail(leftError());
    [...this.#held.keys()].forEach((value) => this.#forget(value));
  }

  #forget(value: object): void {
    const held = this.#held.get(value);
    if (held !== undefined) {
      this.#references.delete(held.name);
      this.#held.delete(value);
      if (this.isEmpty) {
        this.#onEmpty();
      }
    }
  }

  #offer(source: Source): { readonly run: Run } & Pick<Held, 'end'> {
    const stream = offerStream(source, this.#maxBytes);
    // What the items of a page refer to ends with the next page.
    const inPage = new Scope(this.#references, this.#maxBytes);
    const end = (error: unknown): Promise<void> => {
      inPage.release();
      return stream.end(error);
    };
    const run = async (isLeft: unknown): Promise<unknown> => {
      if (isLeft === true) {
        this.#forget(source);
        return end(leftError());
      }
      inPage.release();
      const page = await stream.read();
      if (page.done) {
        this.#forget(source);
      }
      return pack(page, inPage);
    };
    return { run, end };
  }
}
