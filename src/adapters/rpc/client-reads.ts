/** One state of the records at the other end: of the head, of a branch or of a tree. */
import { listArguments } from '../../core/repo/read/list-arguments.ts';
import { decodeStored } from '../../core/repo/record.ts';
import type { StoredEntry } from '../../core/repo/stored-records.ts';
import type { ListOptions, Tree, TreeEntry } from '../../core/repo/tree.ts';
import type { ClientCalls } from './client-calls.ts';
import { isGone } from './gone.ts';
import type { At, TreeEdit, TreeRef } from './methods.ts';

/** What every state can be asked. */
export type StateReads = Pick<Tree, 'collections' | 'entries' | 'get' | 'list'>;

/** Asks about a state. A server that does not have the tree is told its edits. */
export const askAt = async <T>(at: At, edits: readonly TreeEdit[], ask: (at: never) => Promise<T>): Promise<T> => {
  try {
    return await ask(at as never);
  } catch (error) {
    if (!isGone(error)) {
      throw error;
    }
    return ask({ ...(at as TreeRef), edits } as never);
  }
};

/** @param edits Of a tree: those since its base. */
export const createReads = (calls: ClientCalls, state: At, edits: readonly TreeEdit[] = []): StateReads => {
  /** A page after the other, each from the key of the last entry, all from the state of the first page. */
  async function* walk<T extends TreeEntry>(
    of: 'entries' | 'list',
    collection: string | undefined,
    { limit, cursor, reverse }: ListOptions,
  ): AsyncGenerator<T> {
    const list = calls.number();
    let at = state;
    let after = cursor;
    let rest = limit;
    let isOpen = true;
    try {
      while (isOpen) {
        const options = { cursor: after, reverse, limit: rest };
        const page = await askAt(at, edits, (tree) => calls.call('page', [list, tree, of, collection, options]));
        isOpen = !page.done;
        at = at !== undefined && 'base' in at ? at : { base: page.base };
        for (const entry of page.items as readonly T[]) {
          after = collection === undefined ? `${entry.collection}/${entry.rkey}` : entry.rkey;
          rest = rest === undefined ? undefined : rest - 1;
          yield entry;
        }
        if (rest !== undefined && rest <= 0) {
          return;
        }
      }
    } finally {
      if (isOpen) {
        calls.tell('leave', [list]);
      }
    }
  }

  return {
    async get(collection, rkey) {
      const found = await askAt(state, edits, (at) => calls.call('get', [at, collection, rkey]));
      return found && { ...found, value: decodeStored(`${collection}/${rkey}`, found.cid, found.bytes) };
    },
    collections: () => askAt(state, edits, (at) => calls.call('collections', [at])),
    async *list(first, second) {
      const { collection, options } = listArguments(first, second);
      for await (const entry of walk<StoredEntry>('list', collection, options)) {
        yield { ...entry, value: decodeStored(`${entry.collection}/${entry.rkey}`, entry.cid, entry.bytes) };
      }
    },
    entries: (collection, options = {}) => walk<TreeEntry>('entries', collection, options),
  };
};
