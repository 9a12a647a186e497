/** A block store in memory: for tests, and for work on a repository that is thrown away afterwards. */
import type { Bytes } from '../data/bytes.ts';
import { compareBytes, copyBytes } from '../data/bytes.ts';
import { ChangeQueue } from './change-queue.ts';
import type { CID, CidLike } from '../data/cid.ts';
import { cidToText, parseCid } from '../data/cid.ts';
import { RepoError } from '../errors.ts';
import { PendingChange } from './pending-change.ts';
import type { BlockChange, BlockStore, CommitRange } from './ports.ts';
import type { NamedBlock } from '../blocks/block.ts';
import type { Tid } from '../syntax/tid.ts';

/**
 * Keeps what it is given until it is closed. Iterators list what there was when they began, less what has gone since.
 */
export class MemoryBlockStore implements BlockStore {
  readonly #blocks: Map<string, Bytes> = new Map();
  readonly #refs: Map<string, CID> = new Map();
  readonly #meta: Map<string, string> = new Map();
  readonly #commits: Map<Tid, CID> = new Map();
  readonly #queue: ChangeQueue = new ChangeQueue();
  #closing: Promise<void> | undefined;

  /** A store without blocks; `did`, when given, is its meta value of that name. */
  constructor(did?: string) {
    if (did !== undefined) {
      this.#meta.set('did', did);
    }
  }

  async get(cid: CidLike): Promise<Bytes | undefined> {
    this.#assertOpen();
    return this.#blocks.get(cidToText(cid));
  }

  async getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]> {
    this.#assertOpen();
    return cids.map((cid) => this.#blocks.get(cidToText(cid)));
  }

  async ref(name: string): Promise<CID | undefined> {
    this.#assertOpen();
    return this.#refs.get(name);
  }

  async *refs(): AsyncGenerator<[name: string, cid: CID]> {
    this.#assertOpen();
    yield* this.#entries(this.#refs, byBytes([...this.#refs.keys()]));
  }

  async meta(key: string): Promise<string | undefined> {
    this.#assertOpen();
    return this.#meta.get(key);
  }

  async commit(rev: Tid): Promise<CID | undefined> {
    this.#assertOpen();
    return this.#commits.get(rev);
  }

  async *commits(range: CommitRange = {}): AsyncGenerator<[rev: Tid, cid: CID]> {
    this.#assertOpen();
    const { after, before, reverse = false } = range;
    const revs = [...this.#commits.keys()]
      .filter((rev) => (after === undefined || rev > after) && (before === undefined || rev < before))
      .sort();
    yield* this.#entries(this.#commits, reverse ? revs.reverse() : revs);
  }

  async *cids(): AsyncGenerator<CID> {
    this.#assertOpen();
    for await (const [key] of this.#entries(this.#blocks, [...this.#blocks.keys()].sort())) {
      yield parseCid(key);
    }
  }

  async count(): Promise<number> {
    this.#assertOpen();
    return this.#blocks.size;
  }

  async transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    this.#assertOpen();
    return this.#queue.run(() => this.#change(run));
  }

  async check(): Promise<readonly string[]> {
    this.#assertOpen();
    return [];
  }

  async junk(): Promise<readonly string[]> {
    this.#assertOpen();
    return [];
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#queue.idle());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #change<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    const added: string[] = [];
    const add = ({ cid, bytes }: NamedBlock): boolean => {
      const key = cidToText(cid);
      if (this.#blocks.has(key)) {
        return false;
      }
      // A copy: a view would keep alive the whole chunk of a file that the block is a part of.
      this.#blocks.set(key, copyBytes(bytes));
      added.push(key);
      return true;
    };
    const change = new PendingChange({
      get: (cid) => this.#blocks.get(cidToText(cid)),
      add: (blocks) => blocks.map(add),
    });
    try {
      const answer = await run(change);
      this.#finish(change);
      return answer;
    } catch (error) {
      for (const key of added) {
        this.#blocks.delete(key);
      }
      throw error;
    } finally {
      change.end();
    }
  }

  #finish(change: PendingChange): void {
    for (const key of change.removed) {
      this.#blocks.delete(key);
    }
    applyTo(this.#refs, change.refs);
    applyTo(this.#meta, change.meta);
    applyTo(this.#commits, change.commits);
  }

  async *#entries<K, V>(map: ReadonlyMap<K, V>, keys: readonly K[]): AsyncGenerator<[K, V]> {
    for (const key of keys) {
      const value = map.get(key);
      if (value !== undefined) {
        yield [key, value];
        this.#assertOpen();
      }
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new RepoError('Closed', 'the block store is closed');
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

/** Texts in the order of their UTF-8 bytes; that of `sort()` differs from U+E000 on. */
const byBytes = (texts: readonly string[]): string[] => {
  const encoder = new TextEncoder();
  const pairs = texts.map((text) => [text, encoder.encode(text)] as const);
  return pairs.sort((a, b) => compareBytes(a[1], b[1])).map(([text]) => text);
};
