/**
 * A block store for reading, over a database that another process may write. It holds no lock. After each read it
 * checks whether a write has begun. If so, it discards the result, opens the database again and repeats the read.
 */
import type { Bytes } from '../../core/data/bytes.ts';
import { compareText } from '../../core/data/bytes.ts';
import type { CID, CidLike } from '../../core/data/cid.ts';
import { cidToText } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import type { ChangingStorage } from '../../core/repo/read-only.ts';
import { changedMeanwhile, readOnlyError } from '../../core/repo/read-only.ts';
import { MAIN_NAME } from '../../core/storage/layout.ts';
import type { BlockChange, BlockStore, CommitRange, LenientReader, StoreSnapshot } from '../../core/storage/ports.ts';
import { readsOf } from '../../core/storage/reads-of.ts';
import type { Tid } from '../../core/syntax/tid.ts';
import type { FullMaintenance } from './maintenance.ts';
import type { ReadOnlyFiles, SyncFile } from '../../wasm/vfs/database-files.ts';
import type { SqliteBlockStore } from './block-store.ts';
import { contentOf } from './file-content.ts';

/** The database in one state. */
export interface OpenedStore {
  readonly store: SqliteBlockStore;
  /** The file of the database after recovery. */
  readonly main: SyncFile;
  readonly files: ReadOnlyFiles;
}

/** Attempts of a read while writers change the database. */
const MAX_TRIES = 64;
/** Entries of a list that are read between two checks for a write. */
const BATCH = 256;

type Ref = [name: string, cid: CID];
type Entry = [name: string, value: string];
type Rev = [rev: Tid, cid: CID];

const nameOf = ([name]: readonly [string, unknown]): string => name;

export class ReadOnlyStore implements BlockStore, ChangingStorage {
  readonly exclusive = false;
  readonly did: string;
  readonly maintenance: FullMaintenance;
  readonly #open: () => Promise<OpenedStore>;
  #current: Promise<OpenedStore> | undefined;
  readonly #dropped = new WeakSet<OpenedStore>();
  #changes = 0;
  #isClosed = false;

  /** @param open Opens the database in its present state. Rejects with `Locked` while a writer has it open. */
  constructor(opened: OpenedStore, open: () => Promise<OpenedStore>) {
    this.did = opened.store.did;
    this.#open = open;
    this.#current = Promise.resolve(opened);
    this.maintenance = {
      ...this.#lenient(),
      check: () => this.#read(({ store }) => store.maintenance.check()),
      scan: (maxBytes) => this.#scan(maxBytes),
      snapshot: () => this.#snapshot(),
      space: () => this.#read(({ store }) => store.maintenance.space()),
      shrink: async () => {
        throw readOnlyError();
      },
    };
  }

  get changes(): number {
    return this.#changes;
  }

  get(cid: CidLike): Promise<Bytes | undefined> {
    return this.#read(({ store }) => store.get(cid));
  }

  getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]> {
    return this.#read(({ store }) => store.getMany(cids));
  }

  ref(name: string): Promise<CID | undefined> {
    return this.#read(({ store }) => store.ref(name));
  }

  refs(): AsyncIterable<Ref> {
    return this.#list((store) => store.refs(), nameOf);
  }

  meta(name: string): Promise<string | undefined> {
    return this.#read(({ store }) => store.meta(name));
  }

  metaEntries(prefix?: string): AsyncIterable<Entry> {
    return this.#list((store) => store.metaEntries(prefix), nameOf);
  }

  commit(rev: Tid): Promise<CID | undefined> {
    return this.#read(({ store }) => store.commit(rev));
  }

  commits(range?: CommitRange): AsyncIterable<Rev> {
    return this.#list((store) => store.commits(range), nameOf, range?.reverse);
  }

  cids(): AsyncIterable<CID> {
    return this.#list((store) => store.cids(), cidToText);
  }

  count(): Promise<number> {
    return this.#read(({ store }) => store.count());
  }

  /** Runs `run` with the reads of this store. Every write rejects with `ReadOnly`. */
  transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    const refuse = async (): Promise<never> => {
      throw readOnlyError();
    };
    return run({
      ...readsOf(this),
      put: refuse,
      remove: refuse,
      setRef: refuse,
      setMeta: refuse,
      addCommit: refuse,
      removeCommit: refuse,
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const current = this.#current;
    this.#current = undefined;
    // If opening failed, there is nothing to close.
    const opened = await current?.catch(() => undefined);
    await opened?.store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #lenient(): LenientReader {
    return {
      refs: () => this.#list(({ maintenance }) => maintenance.refs(), nameOf),
      commits: (range) => this.#list(({ maintenance }) => maintenance.commits(range), nameOf, range?.reverse),
      cids: () => this.#list(({ maintenance }) => maintenance.cids(), cidToText),
      invalidRows: () => this.#read(({ store }) => store.maintenance.invalidRows()),
    };
  }

  async #opened(): Promise<OpenedStore> {
    if (this.#isClosed) {
      throw new RepoError('Closed', `the repository is closed: open it again; did=${this.did}`);
    }
    if (this.#current === undefined) {
      const opening = this.#open();
      this.#current = opening;
      opening.catch(() => {
        // The next read tries again.
        this.#current = this.#current === opening ? undefined : this.#current;
      });
    }
    const opened = await this.#current;
    if (opened.store.did !== this.did) {
      throw new RepoError(
        'RepoNotFound',
        `a repository of another account has replaced the repository: open it again; was=${this.did} did=${opened.store.did}`,
      );
    }
    return opened;
  }

  /** Whether all reads of `opened` so far saw one state. */
  #isValid(opened: OpenedStore): boolean {
    return !this.#dropped.has(opened) && opened.files.isCurrent();
  }

  async #drop(opened: OpenedStore): Promise<void> {
    if (this.#dropped.has(opened)) {
      return;
    }
    this.#dropped.add(opened);
    this.#changes += 1;
    this.#current = undefined;
    // The store has written nothing, so an error of closing loses nothing.
    await opened.store.close().catch(() => undefined);
  }

  async #read<T>(run: (opened: OpenedStore) => Promise<T>): Promise<T> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const opened = await this.#opened();
      let outcome: { readonly value: T } | { readonly error: unknown };
      try {
        outcome = { value: await run(opened) };
      } catch (error) {
        outcome = { error };
      }
      if (this.#isValid(opened)) {
        if ('error' in outcome) {
          throw outcome.error;
        }
        return outcome.value;
      }
      if (!this.#isClosed) {
        await this.#drop(opened);
      }
    }
    throw changedMeanwhile();
  }

  /** Yields a list in the order of its keys. After the database was opened again, it resumes after the last key. */
  async *#list<T>(
    open: (store: SqliteBlockStore) => AsyncIterable<T>,
    keyOf: (entry: T) => string,
    reverse = false,
  ): AsyncGenerator<T, void, undefined> {
    let last: string | undefined;
    const isNext = (entry: T): boolean => {
      const order = last === undefined ? 1 : compareText(keyOf(entry), last);
      return reverse ? last === undefined || order < 0 : order > 0;
    };
    for (let isAtEnd = false; !isAtEnd; ) {
      // Many reads share one iteration, which belongs to one opened database.
      let from: OpenedStore | undefined;
      let entries: AsyncIterator<T> | undefined;
      try {
        for (let isDisturbed = false; !isAtEnd && !isDisturbed; ) {
          const batch: T[] = [];
          const done = await this.#read(async (opened) => {
            if (from !== undefined && opened !== from) {
              return undefined;
            }
            from = opened;
            entries ??= open(opened.store)[Symbol.asyncIterator]();
            batch.length = 0;
            while (batch.length < BATCH) {
              const next = await entries.next();
              if (next.done === true) {
                return true;
              }
              if (isNext(next.value)) {
                batch.push(next.value);
              }
            }
            return false;
          });
          isDisturbed = done === undefined;
          if (!isDisturbed) {
            for (const entry of batch) {
              last = keyOf(entry);
              yield entry;
            }
            isAtEnd = done === true;
          }
        }
      } finally {
        await entries?.return?.();
      }
    }
  }

  async #scan(maxBytes: number): ReturnType<FullMaintenance['scan']> {
    const found = await this.#read(async (opened) => ({
      opened,
      batches: await opened.store.maintenance.scan(maxBytes),
    }));
    const { opened, batches } = found;
    if (batches === undefined) {
      return undefined;
    }
    const isValid = (): boolean => this.#isValid(opened);
    const drop = (): Promise<void> => this.#drop(opened);
    return (async function* () {
      try {
        for await (const batch of batches) {
          if (!isValid()) {
            break;
          }
          yield batch;
        }
      } catch (error) {
        if (isValid()) {
          throw error;
        }
      }
      if (!isValid()) {
        // The storage order has changed, so the scan cannot resume.
        await drop();
        throw changedMeanwhile();
      }
    })();
  }

  async #snapshot(): Promise<StoreSnapshot> {
    return this.#read(async (opened) => {
      const { store, main } = opened;
      const refs = new Map<string, CID>();
      for await (const [name, cid] of store.refs()) {
        refs.set(name, cid);
      }
      let commits = 0;
      for await (const _ of store.commits()) {
        commits += 1;
      }
      const read: SyncFile['read'] = (buffer, options) => {
        const length = this.#dropped.has(opened) ? 0 : main.read(buffer, options);
        if (!this.#isValid(opened)) {
          throw changedMeanwhile();
        }
        return length;
      };
      const content = contentOf({ ...main, getSize: () => main.getSize(), read });
      return { files: [{ path: MAIN_NAME, content }], refs, blocks: await store.count(), commits, release: () => {} };
    });
  }
}
