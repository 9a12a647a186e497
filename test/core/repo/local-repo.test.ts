/** Errors of a closed repository. */
import { expect, test } from 'vitest';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import { DID } from '../../../src/testing/repo/harness.ts';

test('the error of a closed repository has its DID', async () => {
  const repo = repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
  await repo.close();
  const closed = { code: 'Closed', message: `the repository is closed: open it again to use it; did=${DID}` };
  await expect(repo.head()).rejects.toMatchObject(closed);
  await expect(repo.putBlob(new Uint8Array(1))).rejects.toMatchObject(closed);
  await expect(repo.log()[Symbol.asyncIterator]().next()).rejects.toMatchObject(closed);
  await expect(repo.exportCar().getReader().read()).rejects.toMatchObject({ code: 'Closed' });
  expect(repo.did).toBe(DID);
});
