/** A `Tree` of a repository at the other end. The page holds the edits, and the server keeps no tree. */
import type { CID } from '../../core/data/cid.ts';
import { cidEquals } from '../../core/data/cid.ts';
import type { EditedCommit, TreeEdit } from '../../core/repo/stored-records.ts';
import type { RecordValue, Tree } from '../../core/repo/tree.ts';
import type { ClientCalls } from './client-calls.ts';
import type { StateReads } from './client-reads.ts';
import { createReads, getStored } from './client-reads.ts';

// The constructor assigns the reads. The type says that no method lacks.
const TreeBase = Object as unknown as new () => StateReads;

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
    const { cid, bytes } = this.#calls.encode(collection, rkey, value);
    return this.#edit({ collection, rkey, value: bytes }, cid);
  }

  delete(collection: string, rkey: string): Promise<Tree> {
    return this.#edit({ collection, rkey, value: undefined }, undefined);
  }

  /** Returns the state of a tree that `checkout` of this repository has returned. */
  static stateOf(tree: Tree, calls: ClientCalls): EditedCommit {
    if (!(tree instanceof RemoteTree) || tree.#calls !== calls) {
      throw new TypeError('the tree is not of this repository: use a tree that its checkout() returned');
    }
    return tree.#state;
  }

  async #edit(edit: TreeEdit, cid: CID | undefined): Promise<Tree> {
    const { collection, rkey } = edit;
    const { base, edits } = this.#state;
    const now = await getStored(this.#calls, this.#state, collection, rkey);
    if (cidEquals(now?.cid, cid)) {
      return this;
    }
    const others = edits.filter((other) => other.collection !== collection || other.rkey !== rkey);
    return new RemoteTree(this.#calls, { base, edits: [...others, edit] }, this.head);
  }
}
