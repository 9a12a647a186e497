/** The methods of a repository that only pass calls through: generated from their table, for the page's end. */
import { asCid } from '../../core/data/cid.ts';
import { byteStream } from '../../core/data/streams.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import type { Compare, Entry, Table } from '../../core/repo/method-tables.ts';
import type { RecordValue, Repo, Tree, WriteOp, WriteOptions } from '../../core/repo/repo.ts';
import type { LazyBlobSource } from '../../core/storage/blob-source.ts';
import { isPending, openSource } from '../../core/storage/blob-source.ts';
import type { ClientCalls } from './client-calls.ts';
import { RemoteTree } from './client-state.ts';
import { resumedExport, resumedList } from './resumed.ts';

type Params = readonly unknown[];

/** Makes the parameters that cross of those that were given. Throws what the method rejects with. */
type Encode = (calls: ClientCalls, ...params: never[]) => Params | Promise<Params>;

const put: Encode = (calls, collection: string, rkey: string, value: RecordValue | Uint8Array, options: unknown) => [
  collection,
  rkey,
  calls.plan({ action: 'update', collection, rkey, value }).value,
  options,
];

const write: Encode = (calls, ops: readonly WriteOp[], options: unknown) => [ops.map((op) => calls.plan(op)), options];

type DiffState = Parameters<Repo['diff']>[0];

/** A tree crosses as its commit and its edits. */
const crossing = (calls: ClientCalls, state: DiffState): unknown =>
  typeof state !== 'object' || asCid(state) !== undefined ? state : RemoteTree.stateOf(state as Tree, calls);

/** The methods that encode their parameters, or add to them. */
const ENCODERS: Readonly<Record<string, Encode>> = {
  put,
  'branch.put': put,
  write,
  'branch.write': write,
  commit: (calls, tree: RemoteTree, { swapCommit, ...options }: WriteOptions = {}) => [
    RemoteTree.stateOf(tree, calls),
    // Said in words: the server checks the tree out again, and the head may have changed since.
    { ...options, swapCommit: swapCommit === undefined ? (tree.head ?? null) : swapCommit },
  ],
  putBlob: async (_, source: LazyBlobSource, options: unknown) => [
    isPending(source) ? await openSource(source) : source,
    options,
  ],
  // The head of now, also when the list is opened again under another one.
  diff: async (calls, from: DiffState, to: DiffState, options: unknown) => [
    crossing(calls, from),
    crossing(calls, to) ?? (await calls.call('head', []))?.cid,
    options,
  ],
};

const methodOf = (calls: ClientCalls, method: string, entry: Entry, lead: Params): ((...given: never[]) => unknown) => {
  const encode: Encode = ENCODERS[method] ?? ((_, ...params) => params);
  switch (entry.way) {
    case 'bytes':
      return ({ onProgress, ...options }: LongWork = {}) => {
        const open = (listener: LongWork['onProgress']): AsyncGenerator<Uint8Array> =>
          calls.open(method, [...lead, { ...options, onProgress: listener }]);
        return byteStream(resumedExport(open, onProgress));
      };
    case 'files':
      return (options: LongWork = {}) => calls.open(method, [...lead, options]);
    case 'list':
      return async function* (...given) {
        const params = [...lead, ...(await encode(calls, ...given))];
        yield* resumedList(() => calls.open(method, params), entry.compare as Compare<unknown>);
      };
    default:
      return async (...given) => {
        calls.assertOpen();
        const params = encode(calls, ...given);
        // Nothing else happens before a call is sent, unless it waits for a source.
        return calls.run(method, entry, 'then' in params ? await params : params, lead);
      };
  }
};

/** Returns the methods of a table. @param lead Parameters that come before those of the method. */
export const generatedMethods = <T, Own extends keyof T>(
  calls: ClientCalls,
  prefix: string,
  table: Table<T, Own>,
  lead: Params = [],
): Omit<T, Own> => {
  const methods = Object.entries(table) as [string, Entry][];
  return Object.fromEntries(
    methods.map(([name, entry]) => [name, methodOf(calls, prefix + name, entry, lead)]),
  ) as unknown as Omit<T, Own>;
};
