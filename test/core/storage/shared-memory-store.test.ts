import { describe } from 'vitest';
import { blockStoreCases } from '../../../src/testing/storage/block-store-cases.ts';
import type { BlockStoreHarness } from '../../../src/testing/storage/block-store-harness.ts';
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
