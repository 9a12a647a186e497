/** One state of the records at the other end: of the head, of a branch or of a tree. */
import { listArguments } from '../../core/repo/read/list-arguments.ts';
import { assertPaths, decodeMany } from '../../core/repo/read/many-records.ts';
import { decodeStored } from '../../core/repo/record.ts';
import type { NamedState, StoredEntry, StoredRecord } from '../../core/repo/stored-records.ts';
import type { ListOptions, Tree, TreeEntry } from '../../core/repo/tree.ts';
import type { ClientCalls } from './client-calls.ts';
import { resumed } from './resumed.ts';
import type { ListItem } from './server.ts';

/** What every state can be asked. */
export type StateReads = Pick<Tree, 'collections' | 'entries' | 'get' | 'getMany' | 'list'>;

/** The state with the edits of these paths. A record depends only on the edit of its own key. */
const stateFor = (state: NamedState, paths: readonly string[]): NamedState => {
  if (state === undefined || !('edits' in state)) {
    return state;
  }
  const wanted = new Set(paths);
  return { ...state, edits: state.edits.filter(({ collection, rkey }) => wanted.has(`${collection}/${rkey}`)) };
};

/** Returns a record as it is stored. */
export const getStored = (
  calls: ClientCalls,
  state: NamedState,
  collection: string,
  rkey: string,
): Promise<StoredRecord | undefined> =>
  calls.read('getStored', stateFor(state, [`${collection}/${rkey}`]), [collection, rkey]);

export const createReads = (calls: ClientCalls, state: NamedState): StateReads => {
  /** Continues after its last entry, from the state of its start, if another server takes over. */
  const walk = <T extends TreeEntry>(
    method: 'entries' | 'listStored',
    collection: string | undefined,
    { limit, cursor, reverse }: ListOptions,
  ): AsyncGenerator<T> => {
    let at = state;
    let after = cursor;
    let rest = limit;
    const open = (): AsyncGenerator<ListItem<T>> =>
      calls.open(`state.${method}`, [at, collection, { cursor: after, limit: rest, reverse }]);
    return resumed(open, () => (item) => {
      if ('base' in item) {
        at = at !== undefined && 'edits' in at ? at : { base: item.base, edits: [] };
        return undefined;
      }
      after = collection === undefined ? `${item.collection}/${item.rkey}` : item.rkey;
      rest = rest === undefined ? undefined : rest - 1;
      return item;
    });
  };

  return {
    async get(collection, rkey) {
      const found = await getStored(calls, state, collection, rkey);
      return found && { ...found, value: decodeStored(`${collection}/${rkey}`, found.cid, found.bytes) };
    },
    async getMany(given) {
      assertPaths(given);
      const paths = [...given];
      return decodeMany(paths, await calls.read('getManyStored', stateFor(state, paths), [paths]));
    },
    collections: () => calls.read('collections', state, []),
    async *list(first, second) {
      const { collection, options } = listArguments(first, second);
      for await (const entry of walk<StoredEntry>('listStored', collection, options)) {
        yield { ...entry, value: decodeStored(`${entry.collection}/${entry.rkey}`, entry.cid, entry.bytes) };
      }
    },
    entries: (collection, options = {}) => walk<TreeEntry>('entries', collection, options),
  };
};
