/** Adds checks, such as "is it open", to the plain reads of a store or a change. */
import type { Bytes } from '../data/bytes.ts';
import type { CID, CidLike } from '../data/cid.ts';
import type { Tid } from '../syntax/tid.ts';
import type { CommitRange, StoreReader } from './ports.ts';

/** A value or a promise of one. */
export type Awaitable<T> = T | Promise<T>;

/** A list that is read synchronously or asynchronously. */
export type List<T> = AsyncIterable<T> | Iterable<T>;

/**
 * The reads of a storage, with the contract and the orders of `StoreReader`. They may return values or promises. They
 * do not check whether the store is open.
 */
export interface ReaderSource {
  readonly isDistant?: boolean | undefined;
  get(cid: CidLike): Awaitable<Bytes | undefined>;
  getMany(cids: readonly CidLike[]): Awaitable<(Bytes | undefined)[]>;
  ref(name: string): Awaitable<CID | undefined>;
  refs(): List<[name: string, cid: CID]>;
  meta(name: string): Awaitable<string | undefined>;
  metaEntries(prefix?: string): List<[name: string, value: string]>;
  commit(rev: Tid): Awaitable<CID | undefined>;
  commits(range?: CommitRange): List<[rev: Tid, cid: CID]>;
  cids(): List<CID>;
}

/** Calls `check` before each read and after each entry of a list. If it throws, the read rejects. */
export class CheckedReader implements StoreReader {
  readonly #source: ReaderSource;
  readonly #check: () => void;

  constructor(source: ReaderSource, check: () => void) {
    this.#source = source;
    this.#check = check;
  }

  get isDistant(): boolean | undefined {
    return this.#source.isDistant;
  }

  async get(cid: CidLike): Promise<Bytes | undefined> {
    this.#check();
    return this.#source.get(cid);
  }

  async getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]> {
    this.#check();
    return this.#source.getMany(cids);
  }

  async ref(name: string): Promise<CID | undefined> {
    this.#check();
    return this.#source.ref(name);
  }

  refs(): AsyncIterable<[name: string, cid: CID]> {
    return this.#list(() => this.#source.refs());
  }

  async meta(name: string): Promise<string | undefined> {
    this.#check();
    return this.#source.meta(name);
  }

  metaEntries(prefix?: string): AsyncIterable<[name: string, value: string]> {
    return this.#list(() => this.#source.metaEntries(prefix));
  }

  async commit(rev: Tid): Promise<CID | undefined> {
    this.#check();
    return this.#source.commit(rev);
  }

  commits(range?: CommitRange): AsyncIterable<[rev: Tid, cid: CID]> {
    return this.#list(() => this.#source.commits(range));
  }

  cids(): AsyncIterable<CID> {
    return this.#list(() => this.#source.cids());
  }

  #list<T>(open: () => List<T>): AsyncGenerator<T, void, undefined> {
    return checkedList(open, this.#check);
  }
}

/** A list that calls `check` before it is opened and after each entry. */
export async function* checkedList<T>(open: () => List<T>, check: () => void): AsyncGenerator<T, void, undefined> {
  check();
  for await (const entry of open()) {
    yield entry;
    check();
  }
}
