/** The pending changes of a repository: the branch with their values, and one entry per path. */
import { CODEC_DAG_CBOR, cidOf, cidToText } from '../../core/data/cid.ts';
import type { CID } from '../../core/data/cid.ts';
import { reportingErrors } from '../../core/data/report-error.ts';
import { isRepoError } from '../../core/errors.ts';
import type { Branch } from '../../core/repo/branch.ts';
import { splitPath } from '../../core/repo/path.ts';
import type { Repo, WriteOp } from '../../core/repo/repo.ts';
import type { Entry, Value } from './entry.ts';
import { BRANCH, entryName, entryText, listEntries, readEntry } from './entry.ts';
import { withLock } from './locks.ts';
import type { OutboxChange } from './outbox.ts';

/** Most repetitions of a change whose result was lost between a page and its worker. */
const MAX_LOST = 5;

/** Stands for a record that breaks the data model. It equals no CID. */
const MALFORMED = 'malformed';

export const valueOf = (cid: CID | undefined): Value => (cid === undefined ? null : cidToText(cid));

/** Repeats a change that is safe to repeat, while its result is lost. */
const repeated = async <T>(change: () => Promise<T>): Promise<T> => {
  for (let lost = 0; ; lost++) {
    try {
      return await change();
    } catch (error) {
      if (!isRepoError(error, 'OutcomeUnknown') || lost >= MAX_LOST) {
        throw error;
      }
    }
  }
};

export class PendingStore {
  readonly repo: Repo;
  readonly branch: Branch;
  readonly #listeners = new Set<(change: OutboxChange) => void>();

  constructor(repo: Repo) {
    this.repo = repo;
    this.branch = repo.branch(BRANCH);
  }

  onChange(listener: (change: OutboxChange) => void): () => void {
    // A function of its own, so that each call adds one listener. Its error is no error of the change.
    const own = reportingErrors(listener);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  removeListeners(): void {
    this.#listeners.clear();
  }

  /** Runs a change of several steps alone, also among tabs. Not reentrant. */
  alone<T>(run: () => Promise<T>): Promise<T> {
    return withLock(`pdsdb:outbox:${this.repo.did}`, run);
  }

  /** Returns the record of the repository at a path. Does not decode it, because it may break the data model. */
  async hostValue(path: string): Promise<Value> {
    const bytes = await this.repo.getBytes(path);
    return bytes === undefined ? null : cidToText(cidOf(CODEC_DAG_CBOR, bytes));
  }

  /** Returns the value of the branch at a path. Without an entry, it may differ from that of the repository. */
  async branchValue(path: string): Promise<Value> {
    const { collection, rkey } = splitPath(path);
    try {
      return valueOf((await this.branch.get(collection, rkey))?.cid);
    } catch (error) {
      if (isRepoError(error, 'Malformed')) {
        return MALFORMED;
      }
      throw error;
    }
  }

  /**
   * Returns the records of the repository at the paths of entries, and the rev of its head. Reads only what changed
   * since the last rebase.
   */
  async hostValues(
    entries: readonly Entry[],
  ): Promise<{ readonly rev: string | undefined; readonly values: ReadonlyMap<string, Value> }> {
    const values = new Map(entries.map(({ path, ours }) => [path, ours]));
    const [base, head] = [await this.branch.base(), await this.repo.head()];
    // Where the branch does not differ from its base, the base has the pending value.
    for await (const { collection, rkey, prev } of this.branch.diff()) {
      values.set(`${collection}/${rkey}`, valueOf(prev));
    }
    if (base !== undefined && head !== undefined && cidToText(base.data) !== cidToText(head.data)) {
      for await (const { collection, rkey, cid } of this.repo.diff(base.data, head.data)) {
        values.set(`${collection}/${rkey}`, valueOf(cid));
      }
    }
    return { rev: head?.rev, values };
  }

  /** Makes the head of the repository the base of the branch. Entries say what was changed, so no change is lost. */
  async rebase(): Promise<void> {
    await repeated(() => this.branch.rebase({ onConflict: 'ours' }));
  }

  /**
   * Returns the operations that give a path of the branch the value of its base.
   * @param ours The value on the branch.
   */
  async undo(path: string, ours: Value): Promise<WriteOp[]> {
    const base = await this.branch.base();
    const { collection, rkey } = splitPath(path);
    try {
      const found = base && (await (await this.repo.checkout(base.cid)).get(collection, rkey));
      if (found === undefined) {
        return ours === null ? [] : [{ action: 'delete', collection, rkey }];
      }
      return valueOf(found.cid) === ours
        ? []
        : [{ action: ours === null ? 'create' : 'update', collection, rkey, value: found.bytes }];
    } catch (error) {
      if (isRepoError(error, 'Malformed')) {
        // The record cannot be written. Without an entry, nothing reads the value on the branch.
        return [];
      }
      throw error;
    }
  }

  /** Writes operations and entries in one transaction. `undefined` removes an entry. */
  async commit(ops: readonly WriteOp[], entries: ReadonlyMap<string, Entry | undefined>): Promise<void> {
    const meta = Object.fromEntries(
      [...entries].map(([path, entry]) => [entryName(path), entry === undefined ? null : entryText(entry)]),
    );
    if (ops.length > 0 || entries.size > 1) {
      await this.branch.write(ops, { meta });
    } else {
      for (const [name, text] of Object.entries(meta)) {
        await repeated(() => this.repo.meta.set(name, text ?? undefined));
      }
    }
    for (const [path, entry] of entries) {
      this.#notify({ path, state: entry?.state });
    }
  }

  entry(path: string): Promise<Entry | undefined> {
    return readEntry(this.repo, path);
  }

  entries(collection?: string): Promise<Entry[]> {
    return listEntries(this.repo, collection);
  }

  /** Changes the entry of a path, unless it was removed meanwhile. Returns the new one. */
  update(path: string, change: (entry: Entry) => Entry): Promise<Entry | undefined> {
    return this.alone(async () => {
      const before = await this.entry(path);
      const after = before && change(before);
      if (after !== undefined && after !== before) {
        await this.commit([], new Map([[path, after]]));
      }
      return after;
    });
  }

  #notify(change: OutboxChange): void {
    for (const listener of [...this.#listeners]) {
      listener(change);
    }
  }
}
