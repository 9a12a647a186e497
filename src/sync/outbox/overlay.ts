/** Reads that include the pending changes. */
import { compareText } from '../../core/data/bytes.ts';
import { recordPath, splitPath } from '../../core/repo/path.ts';
import { listArguments } from '../../core/repo/read/list-arguments.ts';
import type { FoundRecord, ListOptions, RecordEntry } from '../../core/repo/tree.ts';
import type { Entry } from './entry.ts';
import type { OutboxAction, Pending } from './outbox.ts';
import type { PendingStore } from './pending-store.ts';

export const actionOf = ({ base, ours }: Pick<Entry, 'base' | 'ours'>): OutboxAction =>
  ours === null ? 'delete' : base === null ? 'create' : 'update';

/** A change that has landed is not pending, but the repository may not have it yet. */
const markOf = (entry: Entry): Pending => (entry.state === 'landed' ? {} : { pending: actionOf(entry) });

/** `Outbox.get`. */
export const getPending = async (
  store: PendingStore,
  collection: string,
  rkey: string,
): Promise<(FoundRecord & Pending) | undefined> => {
  const entry = await store.entry(recordPath(collection, rkey));
  if (entry === undefined) {
    return store.repo.get(collection, rkey);
  }
  if (entry.ours === null && entry.state === 'landed') {
    return undefined;
  }
  const from = entry.ours === null ? store.repo : store.branch;
  const found = await from.get(collection, rkey);
  return found && { ...found, ...markOf(entry) };
};

/** A record with its path in the list: the record key, or `collection/rkey` in a list of all collections. */
type Keyed = readonly [key: string, record: RecordEntry & Pending];

const pendingRecord = async (store: PendingStore, entry: Entry): Promise<(RecordEntry & Pending) | undefined> => {
  const { collection, rkey } = splitPath(entry.path);
  const found = await getPending(store, collection, rkey);
  return found && { ...found, collection, rkey };
};

/** `Outbox.list`. Reads the pending records first, so that a change that lands meanwhile is listed. */
export async function* listPending(
  store: PendingStore,
  first?: string | ListOptions,
  second?: ListOptions,
): AsyncGenerator<RecordEntry & Pending> {
  const { collection, options }: { collection: string | undefined; options: ListOptions } = listArguments(
    first,
    second,
  );
  const { limit = Infinity, cursor = '', reverse = false } = options;
  if (limit <= 0) {
    return;
  }
  const keyOf = (path: string): string => (collection === undefined ? path : splitPath(path).rkey);
  const order = (a: string, b: string): number => (reverse ? compareText(b, a) : compareText(a, b));
  const entries = await store.entries(collection);
  const changedPaths = new Set(entries.map(({ path }) => path));
  const pending: Keyed[] = [];
  for (const entry of reverse ? entries.reverse() : entries) {
    const key = keyOf(entry.path);
    const record = cursor === '' || order(key, cursor) > 0 ? await pendingRecord(store, entry) : undefined;
    if (record !== undefined) {
      pending.push([key, record]);
    }
  }
  let count = 0;
  let next = 0;
  const stored = store.repo.list(collection, { cursor: options.cursor, reverse: options.reverse });
  for await (const record of stored) {
    const path = `${record.collection}/${record.rkey}`;
    if (changedPaths.has(path)) {
      continue;
    }
    while (next < pending.length && order(pending[next]![0], keyOf(path)) < 0) {
      yield pending[next++]![1];
      if (++count >= limit) {
        return;
      }
    }
    yield record;
    if (++count >= limit) {
      return;
    }
  }
  for (; next < pending.length && count < limit; next++, count++) {
    yield pending[next]![1];
  }
}
