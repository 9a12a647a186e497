/** A store that was written from `docs/write-an-adapter.md` alone passes the cases. */
import { describe } from 'vitest';
import { blockStoreCases } from '../../../src/testing/storage/block-store-cases.ts';
import type { BlockStoreHarness } from '../../../src/testing/storage/block-store-harness.ts';
import { runCases } from '../../run-cases.ts';
import { MapBlockStore } from './map-block-store.ts';

const harness = (): BlockStoreHarness => ({ forgetful: true, open: async () => new MapBlockStore() });

describe('a store over plain Maps', () => {
  runCases(blockStoreCases, harness);
});
