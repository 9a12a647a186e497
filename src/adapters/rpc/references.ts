/**
 * Functions and streams that cross a wire by their names: the end that has them runs them when the other end calls. A
 * stream is a function that returns the next page.
 */
import { OfferedStream } from './streams.ts';
import { uniqueName } from './unique-name.ts';
import type { Names, Run, Source } from './wire-values.ts';
import { pack } from './wire-values.ts';

/** What the other end can call, by name. The names begin with a slash. */
export type References = Map<string, Run>;

/** The references of one call, of one reply or of one page. They end together. */
export class Scope implements Names {
  signal: AbortSignal | undefined;
  readonly #references: References;
  readonly #maxBytes: number;
  readonly #onEmpty: () => void;
  /** A value that is packed again, for another end, keeps its name. */
  readonly #names = new Map<object, string>();
  readonly #streams = new Map<object, OfferedStream>();

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
    return this.#names.size === 0;
  }

  nameOf(value: Run | Source): string {
    let name = this.#names.get(value);
    if (name === undefined) {
      name = `/${uniqueName()}`;
      this.#names.set(value, name);
      this.#references.set(name, typeof value === 'function' ? value : this.#offer(value));
    }
    return name;
  }

  /** Has every stream fail. */
  fail(error: unknown): void {
    this.#streams.forEach((stream) => stream.fail(error));
  }

  release(): void {
    for (const value of [...this.#names.keys()]) {
      void this.#streams.get(value)?.leave();
      this.#forget(value);
    }
  }

  #forget(value: object): void {
    const name = this.#names.get(value);
    if (name !== undefined) {
      this.#references.delete(name);
      this.#streams.delete(value);
      this.#names.delete(value);
      if (this.isEmpty) {
        this.#onEmpty();
      }
    }
  }

  #offer(source: Source): Run {
    // What the items of a page refer to ends with the next page.
    const inPage = new Scope(this.#references, this.#maxBytes);
    const stream = new OfferedStream(source, this.#maxBytes, () => {
      inPage.release();
      this.#forget(source);
    });
    this.#streams.set(source, stream);
    return async (isLeft) => {
      inPage.release();
      if (isLeft === true) {
        return stream.leave();
      }
      const { items, done } = await stream.read();
      return { items: items.map((item) => pack(item, inPage)), done };
    };
  }
}
