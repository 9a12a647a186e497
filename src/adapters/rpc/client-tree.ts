/** A `Tree` at the other end: the commit that it comes from and the edits since, which a server can make again. */
import type { CID } from '../../core/data/cid.ts';
import type { RecordValue, Tree } from '../../core/repo/tree.ts';
import type { ClientCalls } from './client-calls.ts';
import type { StateReads } from './client-reads.ts';
import { askAt, createReads } from './client-reads.ts';
import type { GeneratedMethods } from './generated-methods.ts';
import type { TreeEdit, TreeRef } from './methods.ts';

// The constructor assigns the reads. The type says that no method lacks.
const TreeBase = Object as unknown as new () => StateReads;

export class RemoteTree extends TreeBase implements Tree {
  /** The head when this tree, or the one that it came from, was checked out. */
  readonly head: CID | undefined;
  readonly #methods: GeneratedMethods;
  readonly #ref: TreeRef;
  /** Since the base. */
  readonly #edits: readonly TreeEdit[];

  constructor(methods: GeneratedMethods, ref: TreeRef, head: CID | undefined, edits: readonly TreeEdit[] = []) {
    super();
    this.#methods = methods;
    this.#ref = ref;
    this.#edits = edits;
    this.head = head;
    Object.assign(this, createReads(methods.calls, ref, edits));
  }

  get base(): CID | undefined {
    return this.#ref.base;
  }

  async put(collection: string, rkey: string, value: RecordValue | Uint8Array): Promise<Tree> {
    return this.#edit({ collection, rkey, value: this.#methods.encodeRecord(collection, rkey, value) });
  }

  delete(collection: string, rkey: string): Promise<Tree> {
    return this.#edit({ collection, rkey, value: undefined });
  }

  /** Asks about a tree that `checkout` of this repository has returned. */
  static ask<T>(tree: Tree, calls: ClientCalls, ask: (ref: TreeRef) => Promise<T>): Promise<T> {
    if (!(tree instanceof RemoteTree) || tree.#methods.calls !== calls) {
      throw new TypeError('the tree is not of this repository: use a tree that its checkout() returned');
    }
    return askAt(tree.#ref, tree.#edits, ask);
  }

  async #edit(edit: TreeEdit): Promise<Tree> {
    const { calls } = this.#methods;
    const key = calls.number();
    const isChanged = await askAt(this.#ref, this.#edits, (ref) => calls.call('edit', [ref, edit, key]));
    return isChanged
      ? new RemoteTree(this.#methods, { base: this.base, key }, this.head, [...this.#edits, edit])
      : this;
  }
}
