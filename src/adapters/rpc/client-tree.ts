/** A `Tree` on the client's side: the commit that it comes from and the edits since, which a server can do again. */
import type { CID } from '../../core/data/cid.ts';
import { decodeRecord } from '../../core/data/cbor-decode.ts';
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
import type { ClientWrites } from './client-writes.ts';
import type { TreeAt } from './ask-tree.ts';
import { askTree } from './ask-tree.ts';
import type { TreeListServer } from './client-tree-lists.ts';
import { listEntries, listRecords } from './client-tree-lists.ts';
import type { Gone, ServerMethods, TreeEdit, TreeRef, WireRecord } from './protocol.ts';

/** The questions about trees, and how a record is encoded for them. */
export interface TreeServer extends TreeListServer, Pick<ClientWrites, 'encodeRecord'> {
  get(tree: TreeRef, collection: string, rkey: string): Promise<WireRecord | Gone | undefined>;
  collections(tree: TreeRef): Promise<CollectionCount[] | Gone>;
  edit(tree: TreeRef, edit: TreeEdit, key: number): Promise<boolean | Gone>;
}

type Call = <K extends keyof ServerMethods>(
  method: K,
  params: Parameters<ServerMethods[K]>,
) => Promise<ReturnType<ServerMethods[K]>>;

/** The questions about trees, asked by `call`. */
export const treeServer = (
  call: Call,
  leave: (handle: number) => void,
  newKey: () => number,
  writes: Pick<ClientWrites, 'encodeRecord'>,
): TreeServer => ({
  encodeRecord: writes.encodeRecord,
  newKey,
  get: (tree, collection, rkey) => call('treeGet', [tree, collection, rkey]),
  open: (handle, list) => call('open', [handle, list]),
  next: (handle) => call('next', [handle]),
  leave,
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

  get base(): CID | undefined {
    return this.ref.base;
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

  list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry> {
    return listRecords(this.#server, this, collection, options);
  }

  entries(collection?: string, options?: ListOptions): AsyncIterable<TreeEntry> {
    return listEntries(this.#server, this, collection, options);
  }

  collections(): Promise<CollectionCount[]> {
    return askTree(this, (ref) => this.#server.collections(ref!));
  }

  async put(collection: string, rkey: string, value: RecordValue | Uint8Array): Promise<Tree> {
    recordPath(collection, rkey);
    return this.#edit({ collection, rkey, value: this.#server.encodeRecord(collection, value) });
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
