/** A change inside a change, which can be undone alone: what a savepoint is to a transaction, over any store. */
import type { CID, CidBytes } from '../data/cid.ts';
import { bytesOfCid, decodeCid, parseCid } from '../data/cid.ts';
import { PendingChange } from './pending-change.ts';
import type { BlockChange } from './ports.ts';
import { readsOf } from './reads-of.ts';

/**
 * Its reads see the writes of its parent and its own. Blocks go to the parent at once, or at `merge` if the parent
 * stages them. Names and removals are pending until `merge`.
 */
export class NestedChange extends PendingChange {
  readonly #parent: BlockChange;
  readonly #added: CID[] = [];
  #failure: { readonly cause: unknown } | undefined;

  constructor(parent: BlockChange) {
    super({
      ...readsOf(parent),
      stagedBytes: parent.stage && Number.POSITIVE_INFINITY,
      add: async (blocks) => {
        try {
          const added = await parent.put(blocks);
          for (const [i, { cid }] of blocks.entries()) {
            if (added[i] === true) {
              this.#added.push(decodeCid(bytesOfCid(cid).slice() as CidBytes));
            }
          }
          return added;
        } catch (cause) {
          this.#failure ??= { cause };
          throw cause;
        }
      },
    });
    this.#parent = parent;
  }

  /** Set if the storage has failed to add blocks. The parent cannot continue. */
  get failure(): { readonly cause: unknown } | undefined {
    return this.#failure;
  }

  /** Hands the pending writes to the parent. */
  async merge(): Promise<void> {
    const { refs, meta, commits, removed, staged } = this.pending;
    await this.#parent.remove([...removed].map(parseCid));
    if (staged.size > 0) {
      await this.#parent.stage!([...staged.values()]);
    }
    for (const [name, cid] of refs) {
      await this.#parent.setRef(name, cid);
    }
    for (const [name, value] of meta) {
      await this.#parent.setMeta(name, value);
    }
    for (const [rev, cid] of commits) {
      await (cid === undefined ? this.#parent.removeCommit(rev) : this.#parent.addCommit(rev, cid));
    }
  }

  /** Removes the blocks that it added. Nothing else has reached the parent: neither names nor staged blocks. */
  async undo(): Promise<void> {
    await this.#parent.remove(this.#added);
  }
}
