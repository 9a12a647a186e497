/**
 * Lists of trees on the client's side. The server walks them and holds their state. If another server has taken its
 * place, the list goes on after its last entry, in the same state or not at all.
 */
import type { CID } from '../../core/data/cid.ts';
import type { ListOptions, RecordEntry, TreeEntry } from '../../core/repo/repo.ts';
import { listArguments } from '../../core/repo/read/list-arguments.ts';
import { decodeStored } from '../../core/repo/record.ts';
import type { TreeAt } from './ask-tree.ts';
import { askTree } from './ask-tree.ts';
import type { Gone, Page, TreeList, TreeRef, WireRecord } from './protocol.ts';
import { GONE } from './protocol.ts';

/** The three questions of such a list. */
export interface TreeListServer {
  /** A number for a new list. */
  newKey(): number;
  open(handle: number, list: TreeList): Promise<Page<unknown> | Gone>;
  next(handle: number): Promise<Page<unknown> | Gone>;
  leave(handle: number): void;
}

/** A branch, whose head is the state of the first page. */
export interface OfBranch {
  readonly branch: string;
}

/** A list without the state that it is of. */
type Wanted = (tree: TreeRef | undefined, branch: string | undefined, options: ListOptions) => TreeList;

/** @param cursorOf What a list goes on from, after an entry. */
async function* walkTreeList<T>(
  server: TreeListServer,
  from: OfBranch | TreeAt | undefined,
  wanted: Wanted,
  { limit = Infinity, cursor, reverse }: ListOptions,
  cursorOf: (entry: T) => string,
): AsyncGenerator<T> {
  const handle = server.newKey();
  const branch = from !== undefined && 'branch' in from ? from.branch : undefined;
  let at = from !== undefined && 'branch' in from ? undefined : from;
  let after = cursor;
  let rest = limit;
  const open = async (): Promise<Page<unknown>> => {
    const options = { cursor: after, reverse, limit: rest === Infinity ? undefined : rest };
    const page = await askTree<Page<unknown>>(at, (ref) => server.open(handle, wanted(ref, branch, options)));
    at ??= stateOf(page.base);
    return page;
  };
  let isOpen = true;
  try {
    for (let page = await open(); ; ) {
      isOpen = !page.done;
      for (const entry of page.items as readonly T[]) {
        after = cursorOf(entry);
        rest -= 1;
        yield entry;
      }
      if (page.done || rest <= 0) {
        return;
      }
      const next = await server.next(handle);
      page = next === GONE ? await open() : next;
    }
  } catch (error) {
    isOpen = false;
    throw error;
  } finally {
    if (isOpen) {
      server.leave(handle);
    }
  }
}

const stateOf = (base: CID | undefined): TreeAt => ({ ref: { base }, edits: () => [] });

/** The collection in the URI of a record. */
const collectionOf = (uri: string): string => uri.split('/')[3]!;

/**
 * The records of one collection or of all, all from one state.
 * @param from The head of the first page when left out.
 * @throws {RepoError} `Malformed` when the turn of a record comes that breaks the data model.
 */
export async function* listRecords(
  server: TreeListServer,
  from: OfBranch | TreeAt | undefined,
  first?: string | ListOptions,
  second?: ListOptions,
): AsyncGenerator<RecordEntry> {
  const { collection, options } = listArguments(first, second);
  // Where the list goes on after an entry, if another server has to open it again.
  const cursorOf = ({ uri, rkey }: WireRecord): string =>
    collection === undefined ? `${collectionOf(uri)}/${rkey}` : rkey;
  const wanted: Wanted = (tree, branch, wire) => ({ of: 'list', tree, branch, collection, options: wire });
  for await (const record of walkTreeList<WireRecord>(server, from, wanted, options, cursorOf)) {
    const { uri, cid, rkey, bytes } = record;
    yield { uri, cid, collection: collection ?? collectionOf(uri), rkey, value: decodeStored(uri, cid, bytes), bytes };
  }
}

/** Keys and CIDs of one collection or of all. */
export const listEntries = (
  server: TreeListServer,
  from: OfBranch | TreeAt,
  collection: string | undefined,
  options: ListOptions = {},
): AsyncGenerator<TreeEntry> =>
  walkTreeList<TreeEntry>(
    server,
    from,
    (tree, branch, wire) => ({ of: 'entries', tree, branch, collection, options: wire }),
    options,
    (entry) => (collection === undefined ? `${entry.collection}/${entry.rkey}` : entry.rkey),
  );
