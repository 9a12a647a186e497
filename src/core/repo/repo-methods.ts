import type { HeadChange } from './commits.ts';
import { listArguments } from './read/list-arguments.ts';
import type { RecordWatch, WatchOptions } from './read/watch.ts';
import { Watch } from './read/watch.ts';
import { RecordMethods } from './record-methods.ts';
import type { CollectionName } from './typed-records.ts';

/** The methods of {@link RecordMethods}, and `watch`. */
export abstract class RepoMethods extends RecordMethods {
  /** The watches that have not ended. */
  readonly #watches = new Set<Watch<never>>();

  abstract onChange(listener: (change: HeadChange) => void): () => void;

  watch<C extends CollectionName>(first?: C | WatchOptions, second?: WatchOptions): RecordWatch<C> {
    const { collection, options }: { collection: string | undefined; options: WatchOptions } = listArguments(
      first,
      second,
    );
    const { signal: _, ...list } = options;
    return new Watch<C>(
      {
        list: () => this.listJson<C>(collection as C | undefined, list),
        onChange: (listener) => this.onChange(listener),
      },
      collection,
      options,
      this.#watches,
    );
  }

  /** Ends every watch of a repository. With an error, pending calls for a page reject with it. */
  static endWatches(repo: RepoMethods, error?: unknown): void {
    for (const watch of [...repo.#watches]) {
      watch.end({ error });
    }
  }
}
