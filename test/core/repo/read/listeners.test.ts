/** Listeners and writes: each head is notified once, and no listener can fail a write. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CID } from '../../../../src/core/data/cid.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import type { CommitRef, HeadChange, Repo } from '../../../../src/core/repo/repo.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { DID, POST, creates, post } from '../../../../src/testing/repo/harness.ts';

/** A store whose reads can be made to fail, like those of a closed or damaged one. */
class FailingStore extends MemoryBlockStore {
  failure: Error | undefined;

  override async get(cid: CID): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#fail();
    return super.get(cid);
  }

  override async getMany(cids: readonly CID[]): Promise<(Uint8Array<ArrayBuffer> | undefined)[]> {
    this.#fail();
    return super.getMany(cids);
  }

  #fail(): void {
    if (this.failure !== undefined) {
      throw this.failure;
    }
  }
}

let store: FailingStore;
let repo: Repo;
let uncaught: unknown[];
const hear = (error: unknown): void => void uncaught.push(error);
let others: NodeJS.UncaughtExceptionListener[];

beforeEach(() => {
  store = new FailingStore();
  repo = repoOver({ did: DID, store, blobs: new MemoryBlobStore() });
  uncaught = [];
  // Vitest reports uncaught errors as failures.
  others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', hear);
});
afterEach(() => {
  process.off('uncaughtException', hear);
  others.forEach((other) => process.on('uncaughtException', other));
});

/** Commits a tree, and runs a function after the commit is durable and before listeners are notified. */
const commitAnd = async (then: () => Promise<void> | void): Promise<CommitRef> => {
  await repo.write(creates(50));
  const tree = await (await repo.checkout()).put(POST, 'x', post('x'));
  const { transact } = store;
  store.transact = async (run) => {
    const result = await transact.call(store, run);
    await then();
    return result as never;
  };
  return repo.commit(tree);
};

test('a durable commit resolves, also if the repository is closed before listeners are notified', async () => {
  const heard: HeadChange[] = [];
  repo.onChange((change) => heard.push(change));
  expect(await commitAnd(() => repo.close())).toMatchObject({ rev: expect.any(String) });
  await new Promise((resolve) => setTimeout(resolve, 5));
  // The first of them is the write before.
  expect([heard.length, uncaught]).toEqual([1, []]);
});

test('a difference that cannot be read is reported as the fault of a listener is, and ends no later write', async () => {
  const heard: string[] = [];
  repo.onChange(({ rev }) => heard.push(rev));
  const failure = new Error('the disk failed');
  const { rev } = await commitAnd(() => void (store.failure = failure));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(uncaught).toEqual([failure]);
  store.failure = undefined;
  expect((await repo.head())?.rev).toBe(rev);
  const { commit } = await repo.put(POST, 'y', post('y'));
  expect(heard).toEqual([expect.any(String), commit.rev]);
});

test('an error of a listener does not affect the others', async () => {
  const failure = new Error('not today');
  const heard: string[] = [];
  repo.onChange(() => {
    throw failure;
  });
  repo.onChange(({ rev }) => heard.push(rev));
  const { rev } = await repo.write(creates(1));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect([heard, uncaught]).toEqual([[rev], [failure]]);
});
