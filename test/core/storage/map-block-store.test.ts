/** A store that was written from `docs/write-an-adapter.md` alone passes the cases. */
import { describe } from 'vitest';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { repoCases } from '../../../src/testing/repo/cases.ts';
import type { RepoHarness } from '../../../src/testing/repo/harness.ts';
import { blockStoreCases } from '../../../src/testing/storage/block-store-cases.ts';
import type { BlockStoreHarness } from '../../../src/testing/storage/block-store-harness.ts';
import { runCases } from '../../run-cases.ts';
import { MapBlockStore } from './map-block-store.ts';

const harness = (): BlockStoreHarness => ({ forgetful: true, open: async () => new MapBlockStore() });

const repoHarness = (): RepoHarness => ({
  create: async (options) => repoOver({ ...options, store: new MapBlockStore(), blobs: new MemoryBlobStore() }),
  open: () => Promise.reject(new Error('a MapBlockStore cannot be opened again: it keeps nothing after close')),
  other: repoHarness,
  forgetful: true,
  noFiles: true,
});

describe('a repository over a store over plain Maps', () => {
  runCases(repoCases, repoHarness);
});

describe('a store over plain Maps', () => {
  runCases(blockStoreCases, harness);
});
