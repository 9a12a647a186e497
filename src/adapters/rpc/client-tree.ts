/** A `Tree` on the client's side: the commit that it comes from and the edits since, which a server can do again. */
import type { CID } from '../../core/data/cid.ts';
import { decodeRecord } from '../../core/data/cbor.ts';
import { RepoError } from '../../core/errors.ts';
import type {
  CollectionCount,
  FoundRecord,
  ListOptions,
  RecordEntry,
  RecordValue,
  Tree,
  TreeEntry,
} from '../../core/repo/repo.ts';
import { recordPath } from '../../core/repo/path.ts';
import { decodeStored, encodeRecord } from '../../core/repo/record.ts';
import type { Gone, Page, ServerMethods, TreeEdit, TreeRef, WireRecord } from './protocol.ts';
import { GONE } from './protocol.ts';

/** The questions about trees. */
export interface TreeServer {
  /** A number for a new tree. */
  newKey(): number;
  get(tree: TreeRef, collection: string, rkey: string): Promise<WireRecord | Gone | undefined>;
  list(
    tree: TreeRef | undefined,
    collection: string,
    options: ListOptions,
  ): Promise<(Page<WireRecord> & { readonly base: CID | undefined }) | Gone>;
  entries(tree: TreeRef, collection: string | undefined, options: ListOptions): Promise<Page<TreeEntry> | Gone>;
  collections(tree: TreeRef): Promise<CollectionCount[] | Gone>;
  edit(tree: TreeRef, edit: TreeEdit, key: number): Promise<boolean | Gone>;
}

type Call = <K extends keyof ServerMethods>(
  method: K,
  params: Parameters<ServerMethods[K]>,
) => Promise<ReturnType<ServerMethods[K]>>;

/** The questions about trees, asked by `call`. */
export const treeServer = (call: Call, newKey: () => number): TreeServer => ({
  newKey,
  get: (tree, collection, rkey) => call('treeGet', [tree, collection, rkey]),
  list: (tree, collection, options) => call('treeList', [tree, collection, options]),
  entries: (tree, collection, options) => call('treeEntries', [tree, collection, options]),
  collections: (tree) => call('treeCollections', [tree]),
  edit: (tree, edit, key) => call('treeEdit', [tree, edit, key]),
});

/** A record as it was found; its bytes are those of a repository of ours, which has looked at them. */
export const foundRecord = ({ uri, cid, rkey: _, bytes }: WireRecord): FoundRecord => ({
  uri,
  cid,
  value: decodeRecord(bytes),
  bytes,
});

/**
 * The records of a collection, page by page, all from one state: the first page says which one it was.
 * @throws {RepoError} `Malformed` when the turn of a record comes that breaks the data model.
 */
export async function* listRecords(
  server: Pick<TreeServer, 'list'>,
  tree: TreeAt | undefined,
  collection: string,
  { limit = Infinity, cursor, reverse }: ListOptions = {},
): AsyncGenerator<RecordEntry> {
  let at: TreeAt | undefined = tree;
  let after = cursor;
  for (let rest = limit; ; ) {
    const options: ListOptions = { cursor: after, reverse, limit: rest === Infinity ? undefined : rest };
    const page = await askTree(at, (ref) => server.list(ref, collection, options));
    for (const { uri, cid, rkey, bytes } of page.items) {
      yield { uri, cid, rkey, value: decodeStored(uri, cid, bytes), bytes };
      after = rkey;
      rest -= 1;
    }
    if (page.done || rest <= 0) {
      return;
    }
    const { base } = page;
    at ??= { ref: { base }, edits: () => [] };
  }
}

/** A tree as it is asked about, and what to say when the server knows it no more. */
export interface TreeAt {
  readonly ref: TreeRef;
  edits(): readonly TreeEdit[];
}

/** Asks about a tree; a server that has forgotten it is told what it is. */
export const askTree = async <T>(
  tree: TreeAt | undefined,
  ask: (ref: TreeRef | undefined) => Promise<T | Gone>,
): Promise<T> => {
  const answer = await ask(tree?.ref);
  if (answer !== GONE) {
    return answer as T;
  }
  const again = await ask(tree && { ...tree.ref, edits: tree.edits() });
  if (again === GONE) {
    throw new RepoError('StorageFailed', 'the worker does not know a tree that it was told of');
  }
  return again as T;
};

export class RemoteTree implements Tree, TreeAt {
  readonly #server: TreeServer;
  readonly #parent: { readonly tree: RemoteTree; readonly edit: TreeEdit } | undefined;
  readonly ref: TreeRef;
  /** The head when this tree, or the one that it came from, was checked out. */
  readonly head: CID | undefined;

  constructor(
    server: TreeServer,
    ref: TreeRef,
    head: CID | undefined,
    parent?: { readonly tree: RemoteTree; readonly edit: TreeEdit },
  ) {
    this.#server = server;
    this.ref = ref;
    this.head = head;
    this.#parent = parent;
  }

  /** Whether it was checked out of the repository of this server. */
  isOf(server: TreeServer): boolean {
    return this.#server === server;
  }

  edits(): readonly TreeEdit[] {
    const edits: TreeEdit[] = [];
    for (let one = this.#parent; one !== undefined; one = one.tree.#parent) {
      edits.push(one.edit);
    }
    return edits.reverse();
  }

  async get(collection: string, rkey: string): Promise<FoundRecord | undefined> {
    const found = await askTree(this, (ref) => this.#server.get(ref!, collection, rkey));
    return found && foundRecord(found);
  }

  list(collection: string, options?: ListOptions): AsyncIterable<RecordEntry> {
    return listRecords(this.#server, this, collection, options);
  }

  async *entries(
    collection?: string,
    { limit = Infinity, cursor, reverse }: ListOptions = {},
  ): AsyncGenerator<TreeEntry> {
    let after = cursor;
    for (let rest = limit; ; ) {
      const options: ListOptions = { cursor: after, reverse, limit: rest === Infinity ? undefined : rest };
      const page = await askTree(this, (ref) => this.#server.entries(ref!, collection, options));
      yield* page.items;
      rest -= page.items.length;
      const last = page.items.at(-1);
      if (page.done || rest <= 0 || last === undefined) {
        return;
      }
      after = collection === undefined ? `${last.collection}/${last.rkey}` : last.rkey;
    }
  }

  collections(): Promise<CollectionCount[]> {
    return askTree(this, (ref) => this.#server.collections(ref!));
  }

  async put(collection: string, rkey: string, value: RecordValue | Uint8Array): Promise<Tree> {
    recordPath(collection, rkey);
    return this.#edit({ collection, rkey, value: encodeRecord(collection, value).bytes as Uint8Array<ArrayBuffer> });
  }

  async delete(collection: string, rkey: string): Promise<Tree> {
    recordPath(collection, rkey);
    return this.#edit({ collection, rkey, value: undefined });
  }

  async #edit(edit: TreeEdit): Promise<Tree> {
    const key = this.#server.newKey();
    const changed = await askTree(this, (ref) => this.#server.edit(ref!, edit, key));
    return changed ? new RemoteTree(this.#server, { base: this.ref.base, key }, this.head, { tree: this, edit }) : this;
  }
}
