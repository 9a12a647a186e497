/** All cases of a repository over a store in memory that several owners have open. */
import { describe } from 'vitest';
import { cidEquals } from '../../../src/core/data/cid.ts';
import type { CID } from '../../../src/core/data/cid.ts';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import type { HeadMove, OtherHeads } from '../../../src/core/repo/read/other-heads.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { MAIN } from '../../../src/core/repo/store-names.ts';
import type { RepoStores } from '../../../src/core/repo/stores.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import type { BlockChange } from '../../../src/core/storage/ports.ts';
import { repoCases } from '../../../src/testing/repo/cases.ts';
import type { RepoHarness } from '../../../src/testing/repo/harness.ts';
import { runCases } from '../../run-cases.ts';
import { SharedMemoryStore, SharedState } from '../storage/shared-memory-store.ts';

/** Calls the listeners of all owners but the one that has changed the head. */
class Heads {
  readonly #listeners = new Map<object, (move: HeadMove) => void>();

  of(owner: object): OtherHeads {
    return (onMove) => {
      this.#listeners.set(owner, onMove);
      return () => void this.#listeners.delete(owner);
    };
  }

  announce(owner: object, before: CID | undefined, after: CID): void {
    for (const [other, onMove] of this.#listeners) {
      if (other !== owner) {
        onMove({ before, after });
      }
    }
  }
}

/** An owner that announces its heads. */
class AnnouncingStore extends SharedMemoryStore {
  readonly #state: SharedState;
  readonly #heads: Heads;

  constructor(state: SharedState, heads: Heads) {
    super(state);
    this.#state = state;
    this.#heads = heads;
  }

  override async transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    let before: CID | undefined;
    let after: CID | undefined;
    const result = await super.transact(async (change) => {
      before = this.#state.refs.get(MAIN);
      const value = await run(change);
      after = await change.ref(MAIN);
      return value;
    });
    if (after !== undefined && !cidEquals(before, after)) {
      this.#heads.announce(this, before, after);
    }
    return result;
  }
}

const sharedHarness = (): RepoHarness => {
  const [state, heads] = [new SharedState(), new Heads()];
  const blobs = new MemoryBlobStore();
  const openOver = (options: Pick<RepoStores, 'did' | 'signer' | 'validate'>): Repo => {
    const store = new AnnouncingStore(state, heads);
    // All owners share the blobs, which one of them does not close.
    const shared = new Proxy(blobs, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        return name === 'close' ? async () => undefined : typeof member === 'function' ? member.bind(target) : member;
      },
    });
    return repoOver({ ...options, store, blobs: shared, otherHeads: heads.of(store) });
  };
  let did = '';
  return {
    async create(options) {
      did = options.did;
      return openOver(options);
    },
    open: async (options) => openOver({ ...options, did }),
    openBeside: async (options) => openOver({ ...options, did }),
    other: () => sharedHarness(),
    hearsOthers: true,
    noFiles: true,
  };
};

describe('a repository with several owners, in memory', () => {
  runCases(repoCases, sharedHarness);
});
