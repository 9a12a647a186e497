import { describe } from 'vitest';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import { repoCases } from '../../../src/testing/repo/cases.ts';
import type { RepoHarness } from '../../../src/testing/repo/harness.ts';
import { runCases } from '../../run-cases.ts';

const memoryHarness = (): RepoHarness => ({
  create: async (options) => repoOver({ ...options, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() }),
  open: () => Promise.reject(new Error('memory keeps nothing')),
  other: memoryHarness,
  forgetful: true,
  noFiles: true,
});

describe('a repository in memory', () => {
  runCases(repoCases, memoryHarness);
});
