import { describe } from 'vitest';
import { blockStoreCases } from '../../../src/testing/storage/block-store-cases.ts';
import type { BlockStoreHarness } from '../../../src/testing/storage/block-store-harness.ts';
import type { Awaitable } from '../../../src/core/storage/checked-reader.ts';
import type { ChangeSource } from '../../../src/core/storage/pending-change.ts';
import { seeded } from '../../random/seeded.ts';
import { runCases } from '../../run-cases.ts';
import { SharedMemoryStore, SharedState } from './shared-memory-store.ts';

/** What a change wrote is durable when it is complete; a crash ends the change that runs, and lets the lock go. */
const sharedHarness = (): BlockStoreHarness => {
  const state = new SharedState();
  const open = async (): Promise<SharedMemoryStore> => new SharedMemoryStore(state);
  return { open, openBeside: open };
};

describe('a store of several owners', () => {
  runCases(blockStoreCases, sharedHarness);
});

/** Each call takes effect and ends later, in any order. */
const later = (source: ChangeSource): ChangeSource => {
  const random = seeded(1);
  const wait = async <T>(call: () => Awaitable<T>): Promise<T> => {
    for (let turns = Math.floor(random() * 20); turns > 0; turns--) {
      await Promise.resolve();
    }
    const result = await call();
    await Promise.resolve();
    return result;
  };
  return {
    ...source,
    add: (blocks) => wait(() => source.add(blocks)),
    get: (cid) => wait(() => source.get(cid)),
    getMany: (cids) => wait(() => source.getMany(cids)),
    ref: (name) => wait(() => source.ref(name)),
    meta: (name) => wait(() => source.meta(name)),
    commit: (rev) => wait(() => source.commit(rev)),
  };
};

describe('a store of several owners whose calls end later, in any order', () => {
  runCases(blockStoreCases, () => {
    const state = new SharedState();
    const open = async (): Promise<SharedMemoryStore> => new SharedMemoryStore(state, later);
    return { open, openBeside: open };
  });
});
