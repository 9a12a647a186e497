/** The notes of an account: the copy of its repository, and an outbox with the changes that its server lacks. */
import type { Repo } from 'pdsdb';
import { createTidClock } from 'pdsdb';
import type { Outbox, OutboxEntry } from 'pdsdb/sync';
import { openOutbox } from 'pdsdb/sync';
import type { Conflict, Note, Notebook } from './notebook.ts';
import { changedRecord, COLLECTION, newRecord, noteOf } from './notebook.ts';

const clock = createTidClock();

/** What tabs tell each other: the outbox has changed, or a user has written something that can be sent. */
const CHANGED = 'changed';
const WRITTEN = 'written';

export class AccountNotebook implements Notebook {
  readonly repo: Repo;
  readonly outbox: Outbox;
  readonly #listeners = new Set<() => void>();
  readonly #writeListeners = new Set<() => void>();
  /** Heads reach all tabs through the repository, changes of the outbox only through this channel. */
  readonly #tabs: BroadcastChannel;
  readonly #ends: (() => void)[];

  constructor(repo: Repo) {
    this.repo = repo;
    this.outbox = openOutbox(repo);
    this.#tabs = new BroadcastChannel(`notes:${repo.did}`);
    const emit = (): void => this.#listeners.forEach((listener) => listener());
    this.#tabs.addEventListener('message', ({ data }) => {
      emit();
      if (data === WRITTEN) {
        this.#emitWrite();
      }
    });
    this.#ends = [
      repo.onChange(emit),
      this.outbox.onChange(() => {
        emit();
        this.#tabs.postMessage(CHANGED);
      }),
    ];
  }

  async read(): Promise<readonly Note[]> {
    const pending = await this.outbox.pending();
    const entries = new Map(pending.map((entry) => [entry.path, entry]));
    const notes: Note[] = [];
    for await (const record of this.outbox.list(COLLECTION, { reverse: true })) {
      const entry = entries.get(`${COLLECTION}/${record.rkey}`);
      const conflict = entry?.state === 'conflict' ? await this.#conflictOf(entry, record.value['text']) : undefined;
      const refusal = entry?.state === 'rejected' ? (entry.error?.message ?? 'No reason was given.') : undefined;
      if (record.pending !== 'delete' || conflict !== undefined || refusal !== undefined) {
        const cid = record.pending === 'delete' ? undefined : record.cid;
        notes.push(noteOf({ ...record, cid }, { isPending: record.pending !== undefined, conflict, refusal }));
      }
    }
    return notes;
  }

  /** Returns the number of changes that the server does not have. */
  async countPending(): Promise<number> {
    return (await this.outbox.pending()).length;
  }

  async add(text: string): Promise<void> {
    await this.outbox.put(COLLECTION, clock.next(), newRecord(text));
    this.#wrote();
  }

  async change(note: Note, text: string): Promise<void> {
    const { rkey, cid } = note;
    const value = changedRecord(note, text);
    await this.outbox.write([{ action: 'put', collection: COLLECTION, rkey, value, swapRecord: cid ?? null }]);
    this.#wrote();
  }

  async remove({ rkey, cid }: Note): Promise<void> {
    await this.outbox.write([{ action: 'delete', collection: COLLECTION, rkey, swapRecord: cid ?? null }]);
    this.#wrote();
  }

  async restore({ rkey, value }: Note): Promise<void> {
    await this.outbox.put(COLLECTION, rkey, value);
    this.#wrote();
  }

  /** Adds notes that the account does not have, with their keys. */
  async takeIn(notes: readonly Note[]): Promise<void> {
    const values = notes.map(({ rkey, value }) => ({ rkey, value }));
    await this.outbox.write(values.map((one) => ({ action: 'put', collection: COLLECTION, ...one })));
    this.#wrote();
  }

  /** Ends a conflict. */
  async resolve({ rkey }: Note, choice: 'ours' | 'theirs'): Promise<void> {
    await this.outbox.resolve(`${COLLECTION}/${rkey}`, choice);
    this.#wrote();
  }

  /** Drops a change of a note. */
  async discard({ rkey }: Note): Promise<void> {
    await this.outbox.discard(`${COLLECTION}/${rkey}`);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` after a user of any tab has written something. Returns a function that removes it. */
  onWrite(listener: () => void): () => void {
    this.#writeListeners.add(listener);
    return () => this.#writeListeners.delete(listener);
  }

  /** Stops a running push, and closes the repository. */
  async close(): Promise<void> {
    this.#ends.forEach((end) => end());
    this.#listeners.clear();
    this.#writeListeners.clear();
    this.#tabs.close();
    await this.outbox.close();
    await this.repo.close();
  }

  async #conflictOf({ rkey, ours, theirs }: OutboxEntry, shown: unknown): Promise<Conflict> {
    const text = (value: unknown): string => (typeof value === 'string' ? value : '');
    const found = theirs && (await this.repo.get(COLLECTION, rkey));
    return { mine: ours && text(shown), theirs: found && text(found.value['text']) };
  }

  #wrote(): void {
    this.#emitWrite();
    this.#tabs.postMessage(WRITTEN);
  }

  #emitWrite(): void {
    this.#writeListeners.forEach((listener) => listener());
  }
}
