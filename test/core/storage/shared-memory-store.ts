/** A block store with several owners. Each open store is a view of one shared state. */
import type { NamedBlock } from '../../../src/core/blocks/block.ts';
import type { Bytes } from '../../../src/core/data/bytes.ts';
import { compareText, copyBytes } from '../../../src/core/data/bytes.ts';
import type { CID } from '../../../src/core/data/cid.ts';
import { cidToText, parseCid } from '../../../src/core/data/cid.ts';
import { RepoError } from '../../../src/core/errors.ts';
import { ChangeQueue } from '../../../src/core/storage/change-queue.ts';
import type { ReaderSource } from '../../../src/core/storage/checked-reader.ts';
import { CheckedReader } from '../../../src/core/storage/checked-reader.ts';
import type { ChangeSource } from '../../../src/core/storage/pending-change.ts';
import { PendingChange } from '../../../src/core/storage/pending-change.ts';
import type { BlockChange, BlockStore } from '../../../src/core/storage/ports.ts';
import type { Tid } from '../../../src/core/syntax/tid.ts';

/** The state of one repository, which outlives its open stores. */
export class SharedState {
  readonly blocks = new Map<string, Bytes>();
  readonly refs = new Map<string, CID>();
  readonly meta = new Map<string, string>();
  readonly commits = new Map<Tid, CID>();
  /** The lock of the repository. The changes of all owners wait for it in a queue. */
  readonly queue = new ChangeQueue();
}

export class SharedMemoryStore extends CheckedReader implements BlockStore {
  readonly exclusive = false;
  readonly #state: SharedState;
  /** The changes of this owner, for which `close` waits. */
  readonly #queue = new ChangeQueue();
  readonly #later: (source: ChangeSource) => ChangeSource;
  #closing: Promise<void> | undefined;

  /** @param later Delays the calls of a change. Default: each takes effect at once. */
  constructor(state: SharedState, later: (source: ChangeSource) => ChangeSource = (source) => source) {
    super(readsOf(state), () => this.#assertOpen());
    this.#state = state;
    this.#later = later;
  }

  async count(): Promise<number> {
    this.#assertOpen();
    return this.#state.blocks.size;
  }

  async transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    this.#assertOpen();
    return this.#queue.run(() => this.#state.queue.run(() => this.#change(run)));
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#queue.idle());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #change<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    const { blocks, refs, meta, commits } = this.#state;
    const added: string[] = [];
    const add = ({ cid, bytes }: NamedBlock): boolean => {
      const key = cidToText(cid);
      const isNew = !blocks.has(key);
      if (isNew) {
        blocks.set(key, copyBytes(bytes));
        added.push(key);
      }
      return isNew;
    };
    const change = new PendingChange(this.#later({ ...readsOf(this.#state), add: (more) => more.map(add) }));
    try {
      const result = await run(change);
      await change.awaitPuts();
      change.pending.removed.forEach((key) => blocks.delete(key));
      apply(refs, change.pending.refs);
      apply(meta, change.pending.meta);
      apply(commits, change.pending.commits);
      return result;
    } catch (error) {
      added.forEach((key) => blocks.delete(key));
      throw error;
    } finally {
      change.end();
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new RepoError('Closed', 'the block store is closed');
    }
  }
}

const apply = <K, V>(map: Map<K, V>, changes: ReadonlyMap<K, V | undefined>): void => {
  for (const [key, value] of changes) {
    if (value === undefined) {
      map.delete(key);
    } else {
      map.set(key, value);
    }
  }
};

const sorted = <K extends string, V>(map: ReadonlyMap<K, V>): [K, V][] =>
  [...map].sort(([a], [b]) => compareText(a, b));

const readsOf = ({ blocks, refs, meta, commits }: SharedState): ReaderSource => ({
  get: (cid) => blocks.get(cidToText(cid)),
  getMany: (cids) => cids.map((cid) => blocks.get(cidToText(cid))),
  ref: (name) => refs.get(name),
  refs: () => sorted(refs),
  meta: (name) => meta.get(name),
  metaEntries: (prefix = '') => sorted(meta).filter(([name]) => name.startsWith(prefix)),
  commit: (rev) => commits.get(rev),
  commits({ after, before, reverse = false } = {}) {
    const entries = sorted(commits).filter(
      ([rev]) => (after === undefined || rev > after) && (before === undefined || rev < before),
    );
    return reverse ? entries.reverse() : entries;
  },
  cids: () => sorted(blocks).map(([text]) => parseCid(text)),
});
