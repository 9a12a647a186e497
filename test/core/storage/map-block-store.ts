/** A block store over plain Maps. It keeps a repository in memory until it is closed. */
import {
  ChangeQueue,
  CheckedReader,
  cidToText,
  compareText,
  parseCid,
  PendingChange,
  RepoError,
  type BlockChange,
  type BlockStore,
  type Bytes,
  type ChangeSource,
  type CID,
  type CidLike,
  type CommitRange,
  type NamedBlock,
  type PendingWrites,
  type Tid,
} from '../../../src/index.ts';

/** Returns the entries of a table, ordered by the UTF-8 bytes of their keys. Later writes do not change the result. */
const sortedEntries = <K extends string, V>(table: ReadonlyMap<K, V>): [K, V][] =>
  [...table].sort(([a], [b]) => compareText(a, b));

/** Stores each value, and deletes each key whose value is `undefined`. */
const applyWrites = <K, V>(table: Map<K, V>, writes: ReadonlyMap<K, V | undefined>): void => {
  for (const [key, value] of writes) {
    if (value === undefined) {
      table.delete(key);
    } else {
      table.set(key, value);
    }
  }
};

/** The four tables. Every method is synchronous, so no reader sees half of a write. */
class MapTables implements ChangeSource {
  /** The key is the text of the CID. */
  readonly #blocks = new Map<string, Bytes>();
  readonly #refs = new Map<string, CID>();
  readonly #meta = new Map<string, string>();
  readonly #commits = new Map<Tid, CID>();
  /** The keys of the blocks that the running change has added. */
  readonly #added = new Set<string>();

  get(cid: CidLike): Bytes | undefined {
    return this.#blocks.get(cidToText(cid));
  }

  getMany(cids: readonly CidLike[]): (Bytes | undefined)[] {
    return cids.map((cid) => this.get(cid));
  }

  ref(name: string): CID | undefined {
    return this.#refs.get(name);
  }

  refs(): [name: string, cid: CID][] {
    return sortedEntries(this.#refs);
  }

  meta(name: string): string | undefined {
    return this.#meta.get(name);
  }

  metaEntries(prefix = ''): [name: string, value: string][] {
    return sortedEntries(this.#meta).filter(([name]) => name.startsWith(prefix));
  }

  commit(rev: Tid): CID | undefined {
    return this.#commits.get(rev);
  }

  commits({ after, before, reverse = false }: CommitRange = {}): [rev: Tid, cid: CID][] {
    // Revs are ASCII, so `<` and `>` compare them correctly.
    const entries = sortedEntries(this.#commits).filter(
      ([rev]) => (after === undefined || rev > after) && (before === undefined || rev < before),
    );
    return reverse ? entries.reverse() : entries;
  }

  /** Lists the CIDs in the order of their texts. It makes each CID only when the caller asks for it. */
  *cids(): Generator<CID> {
    for (const text of [...this.#blocks.keys()].sort()) {
      yield parseCid(text);
    }
  }

  count(): number {
    return this.#blocks.size;
  }

  /** Adds the blocks that are missing. Returns, in the order of the argument, which of them were new. */
  add(blocks: readonly NamedBlock[]): boolean[] {
    return blocks.map(({ cid, bytes }) => {
      const key = cidToText(cid);
      if (this.#blocks.has(key)) {
        return false;
      }
      // Copy the bytes: they can be a view of a much larger buffer.
      this.#blocks.set(key, new Uint8Array(bytes));
      this.#added.add(key);
      return true;
    });
  }

  /** Ends a change that succeeded: applies the writes that waited for its end. */
  commitChange({ removed, refs, meta, commits }: PendingWrites): void {
    for (const key of removed) {
      this.#blocks.delete(key);
    }
    applyWrites(this.#refs, refs);
    applyWrites(this.#meta, meta);
    applyWrites(this.#commits, commits);
    this.#added.clear();
  }

  /** Ends a change that failed: deletes the blocks that it has added. */
  rollBack(): void {
    for (const key of this.#added) {
      this.#blocks.delete(key);
    }
    this.#added.clear();
  }

  clear(): void {
    for (const table of [this.#blocks, this.#refs, this.#meta, this.#commits]) {
      table.clear();
    }
  }
}

/** Keeps a repository in memory. The content is lost when the store is closed. */
export class MapBlockStore extends CheckedReader implements BlockStore {
  /** The content is reachable through this object only. */
  readonly exclusive = true;
  readonly #tables: MapTables;
  readonly #queue = new ChangeQueue();
  #closing: Promise<void> | undefined;

  constructor() {
    const tables = new MapTables();
    super(tables, () => this.#assertOpen());
    this.#tables = tables;
  }

  async count(): Promise<number> {
    this.#assertOpen();
    return this.#tables.count();
  }

  async transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    this.#assertOpen();
    return this.#queue.run(() => this.#change(run));
  }

  /** Waits for the changes that were asked for, then drops the content. */
  close(): Promise<void> {
    return (this.#closing ??= this.#queue.idle().then(() => this.#tables.clear()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #change<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    const change = new PendingChange(this.#tables);
    try {
      const result = await run(change);
      this.#tables.commitChange(change.pending);
      return result;
    } catch (error) {
      this.#tables.rollBack();
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
