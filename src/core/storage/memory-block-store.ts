/** A block store in memory, for tests and temporary repositories. */
import type { Bytes } from '../data/bytes.ts';
import { compareText, copyBytes } from '../data/bytes.ts';
import type { CID } from '../data/cid.ts';
import { cidToText, parseCid } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
import type { Tid } from '../syntax/tid.ts';
import { ChangeQueue } from './change-queue.ts';
import type { ReaderSource } from './checked-reader.ts';
import { CheckedReader } from './checked-reader.ts';
import { PendingChange } from './pending-change.ts';
import type { NamedBlock } from '../blocks/block.ts';
import type { BlockChange, BlockStore } from './ports.ts';

interface Tables {
  /** By CID text. */
  readonly blocks: Map<string, Bytes>;
  readonly refs: Map<string, CID>;
  readonly meta: Map<string, string>;
  readonly commits: Map<Tid, CID>;
}

/** A {@link BlockStore} in memory. A list shows the entries at its start, without those removed since. */
export class MemoryBlockStore extends CheckedReader implements BlockStore {
  readonly exclusive = true;
  readonly #tables: Tables;
  readonly #reads: ReaderSource;
  readonly #queue: ChangeQueue = new ChangeQueue();
  #closing: Promise<void> | undefined;

  /** Makes an empty store. `did`, if given, becomes the meta value `did`. */
  constructor(did?: string) {
    const tables: Tables = { blocks: new Map(), refs: new Map(), meta: new Map(), commits: new Map() };
    const reads = readsOf(tables);
    super(reads, () => this.#assertOpen());
    this.#tables = tables;
    this.#reads = reads;
    if (did !== undefined) {
      tables.meta.set('did', did);
    }
  }

  async count(): Promise<number> {
    this.#assertOpen();
    return this.#tables.blocks.size;
  }

  async transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    this.#assertOpen();
    return this.#queue.run(() => this.#change(run));
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#queue.idle());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #change<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    const { blocks } = this.#tables;
    const added: string[] = [];
    const add = ({ cid, bytes }: NamedBlock): boolean => {
      const key = cidToText(cid);
      if (blocks.has(key)) {
        return false;
      }
      // A copy, because a view would keep the whole chunk of the source in memory.
      blocks.set(key, copyBytes(bytes));
      added.push(key);
      return true;
    };
    const change = new PendingChange({ ...this.#reads, add: (more) => more.map(add) });
    try {
      const result = await run(change);
      this.#apply(change);
      return result;
    } catch (error) {
      added.forEach((key) => blocks.delete(key));
      throw error;
    } finally {
      change.end();
    }
  }

  #apply({ pending }: PendingChange): void {
    pending.removed.forEach((key) => this.#tables.blocks.delete(key));
    applyTo(this.#tables.refs, pending.refs);
    applyTo(this.#tables.meta, pending.meta);
    applyTo(this.#tables.commits, pending.commits);
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new RepoError('Closed', 'the block store is closed: open it again to use it');
    }
  }
}

const applyTo = <K, V>(map: Map<K, V>, changes: ReadonlyMap<K, V | undefined>): void => {
  for (const [key, value] of changes) {
    if (value === undefined) {
      map.delete(key);
    } else {
      map.set(key, value);
    }
  }
};

const readsOf = ({ blocks, refs, meta, commits }: Tables): ReaderSource => ({
  get: (cid) => blocks.get(cidToText(cid)),
  getMany: (cids) => cids.map((cid) => blocks.get(cidToText(cid))),
  ref: (name) => refs.get(name),
  refs: () => entriesOf(refs, [...refs.keys()].sort(compareText)),
  meta: (name) => meta.get(name),
  metaEntries: (prefix = '') =>
    entriesOf(meta, [...meta.keys()].filter((name) => name.startsWith(prefix)).sort(compareText)),
  commit: (rev) => commits.get(rev),
  commits({ after, before, reverse = false } = {}) {
    const revs = [...commits.keys()]
      .filter((rev) => (after === undefined || rev > after) && (before === undefined || rev < before))
      .sort();
    return entriesOf(commits, reverse ? revs.reverse() : revs);
  },
  *cids() {
    for (const [text] of entriesOf(blocks, [...blocks.keys()].sort())) {
      yield parseCid(text);
    }
  },
});

function* entriesOf<K, V>(map: ReadonlyMap<K, V>, keys: readonly K[]): Generator<[K, V]> {
  for (const key of keys) {
    const value = map.get(key);
    if (value !== undefined) {
      yield [key, value];
    }
  }
}
