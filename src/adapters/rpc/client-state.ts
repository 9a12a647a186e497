/** One state of the records at the other end: of the head, of a branch or of a tree. */
import { compareBytes } from '../../core/data/bytes.ts';
import type { CID } from '../../core/data/cid.ts';
import { listArguments } from '../../core/repo/read/list-arguments.ts';
import { assertPaths, decodeMany } from '../../core/repo/read/many-records.ts';
import { decodeStored } from '../../core/repo/record.ts';
import type { EditedCommit, NamedState, StoredEntry, StoredRecord, TreeEdit } from '../../core/repo/stored-records.ts';
import type { ListOptions, RecordValue, Tree, TreeEntry } from '../../core/repo/tree.ts';
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
const getStored = (
  calls: ClientCalls,
  state: NamedState,
  collection: string,
  rkey: string,
): Promise<StoredRecord | undefined> =>
  calls.call('state.getStored', [stateFor(state, [`${collection}/${rkey}`]), collection, rkey]);

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
      return decodeMany(paths, await calls.call('state.getManyStored', [stateFor(state, paths), paths]));
    },
    collections: () => calls.call('state.collections', [state]),
    async *list(first, second) {
      const { collection, options } = listArguments(first, second);
      for await (const entry of walk<StoredEntry>('listStored', collection, options)) {
        yield { ...entry, value: decodeStored(`${entry.collection}/${entry.rkey}`, entry.cid, entry.bytes) };
      }
    },
    entries: (collection, options = {}) => walk<TreeEntry>('entries', collection, options),
  };
};

// The constructor assigns the reads. The type says that no method lacks.
const TreeBase = Object as unknown as new () => StateReads;

/** A `Tree` of a repository at the other end. The page holds the edits, and the server keeps no tree. */
export class RemoteTree extends TreeBase implements Tree {
  /** The head when this tree, or the one that it came from, was checked out. */
  readonly head: CID | undefined;
  readonly #calls: ClientCalls;
  readonly #state: EditedCommit;

  constructor(calls: ClientCalls, state: EditedCommit, head: CID | undefined) {
    super();
    this.#calls = calls;
    this.#state = state;
    this.head = head;
    Object.assign(this, createReads(calls, state));
  }

  get base(): CID | undefined {
    return this.#state.base;
  }

  async put(collection: string, rkey: string, value: RecordValue | Uint8Array): Promise<Tree> {
    return this.#edit(this.#calls.plan({ action: 'update', collection, rkey, value }));
  }

  delete(collection: string, rkey: string): Promise<Tree> {
    return this.#edit({ collection, rkey, value: undefined });
  }

  /** Returns the state of a tree that `checkout` of this repository has returned. */
  static stateOf(tree: Tree, calls: ClientCalls): EditedCommit {
    if (!(tree instanceof RemoteTree) || tree.#calls !== calls) {
      throw new TypeError('the tree is not of this repository: use a tree that its checkout() returned');
    }
    return tree.#state;
  }

  async #edit({ collection, rkey, value }: TreeEdit): Promise<Tree> {
    const { base, edits } = this.#state;
    const now = (await getStored(this.#calls, this.#state, collection, rkey))?.bytes;
    if (now === undefined || value === undefined ? now === value : compareBytes(now, value) === 0) {
      return this;
    }
    const others = edits.filter((other) => other.collection !== collection || other.rkey !== rkey);
    return new RemoteTree(this.#calls, { base, edits: [...others, { collection, rkey, value }] }, this.head);
  }
}
