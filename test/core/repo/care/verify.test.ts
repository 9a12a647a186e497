/** A check of everything is watched to its end. */
import { expect, test } from 'vitest';
import type { Progress } from '../../../../src/core/repo/long-work.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import type { Repo } from '../../../../src/core/repo/repo.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { DID, creates } from '../../../../src/testing/repo/harness.ts';

const watched = async (repo: Repo): Promise<Progress[]> => {
  const told: Progress[] = [];
  await repo.verify({ onProgress: (progress) => told.push(progress) });
  return told;
};

test('verify tells at its end, also when there is nothing', async () => {
  const repo = repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
  expect(await watched(repo)).toEqual([{ phase: 'verify', bytes: 0, blocks: 0, records: 0 }]);
  await repo.write(creates(3));
  const { blocks } = await repo.info();
  expect((await watched(repo)).at(-1)).toMatchObject({ blocks, records: 3 });
});
