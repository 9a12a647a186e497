/** `openOutbox`. */
import type { CID } from '../../core/data/cid.ts';
import { parseCid } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { splitPath } from '../../core/repo/path.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { FoundRecord, ListOptions, RecordEntry, RecordValue } from '../../core/repo/tree.ts';
import { discardPending, resolveConflict, writePending } from './changes.ts';
import type { Value } from './entry.ts';
import type {
  Outbox,
  OutboxChange,
  OutboxEntry,
  OutboxOp,
  OutboxState,
  OutboxWriteOptions,
  Pending,
  PushOptions,
  PushResult,
} from './outbox.ts';
import { actionOf, getPending, listPending } from './overlay.ts';
import { PendingStore } from './pending-store.ts';
import { pushPending } from './push.ts';

const cidOf = (value: Value): CID | undefined => (value === null ? undefined : parseCid(value));

class LocalOutbox implements Outbox {
  readonly #store: PendingStore;
  readonly #end = new AbortController();
  readonly #pushes = new Set<Promise<unknown>>();

  constructor(repo: Repo) {
    this.#store = new PendingStore(repo);
  }

  async put(collection: string, rkey: string, value: RecordValue | Uint8Array): Promise<{ uri: string; cid: CID }> {
    const [cid] = await writePending(this.#opened(), [{ action: 'put', collection, rkey, value }]);
    // A put always has a record.
    return { uri: `at://${this.#store.repo.did}/${collection}/${rkey}`, cid: cid! };
  }

  async delete(collection: string, rkey: string): Promise<void> {
    await writePending(this.#opened(), [{ action: 'delete', collection, rkey }]);
  }

  async write(ops: readonly OutboxOp[], options?: OutboxWriteOptions): Promise<void> {
    await writePending(this.#opened(), ops, options);
  }

  async get(collection: string, rkey: string): Promise<(FoundRecord & Pending) | undefined> {
    return getPending(this.#opened(), collection, rkey);
  }

  async *list(collection?: string | ListOptions, options?: ListOptions): AsyncGenerator<RecordEntry & Pending> {
    yield* listPending(this.#opened(), collection, options);
  }

  async pending(): Promise<OutboxEntry[]> {
    const store = this.#opened();
    const entries = (await store.entries()).filter(({ state }) => state !== 'landed');
    const { values } = await store.hostValues(entries);
    return entries.map((entry) => {
      const { path, state, base, ours, attempts, error } = entry;
      return {
        path,
        ...splitPath(path),
        action: actionOf(entry),
        state: state as OutboxState,
        base: cidOf(base),
        ours: cidOf(ours),
        theirs: cidOf(values.get(path) ?? null),
        attempts,
        ...(error === undefined ? {} : { error }),
      };
    });
  }

  async discard(path: string): Promise<boolean> {
    return discardPending(this.#opened(), path);
  }

  async resolve(path: string, choice: 'ours' | 'theirs' | RecordValue | Uint8Array | null): Promise<void> {
    await resolveConflict(this.#opened(), path, choice);
  }

  async push(options: PushOptions): Promise<PushResult> {
    const store = this.#opened();
    const ends = [this.#end.signal, options.signal].filter((signal) => signal !== undefined);
    const push = pushPending(store, options, AbortSignal.any(ends));
    this.#pushes.add(push);
    try {
      return await push;
    } finally {
      this.#pushes.delete(push);
    }
  }

  onChange(listener: (change: OutboxChange) => void): () => void {
    return this.#opened().onChange(listener);
  }

  async close(): Promise<void> {
    this.#end.abort(new RepoError('Closed', 'the outbox is closed: open it again'));
    this.#store.removeListeners();
    await Promise.allSettled(this.#pushes);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #opened(): PendingStore {
    this.#end.signal.throwIfAborted();
    return this.#store;
  }
}

/**
 * Returns the outbox of a repository. It keeps the pending changes on the branch `outbox` and in `repo.meta`, so they
 * are durable, and reads of the repository do not have them. Several outboxes of one repository share their changes.
 *
 * The repository is a copy of the account: only pulls change it.
 *
 * @example
 * ```ts
 * import type { Repo } from 'pdsdb';
 * import { openOutbox, passwordSession } from 'pdsdb/sync';
 *
 * const send = async (repo: Repo) => {
 *   await using outbox = openOutbox(repo);
 *   await outbox.put('com.example.note', 'first', { text: 'written on a plane' });
 *   const session = passwordSession({
 *     service: 'https://pds.example.com',
 *     identifier: 'alice.example.com',
 *     password: 'an-app-password',
 *   });
 *   const { status, landed, conflicts } = await outbox.push({ session });
 *   console.log(status, landed, conflicts);
 * };
 * ```
 */
export const openOutbox = (repo: Repo): Outbox => new LocalOutbox(repo);
