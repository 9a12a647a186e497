/** The contract of the scratch files of a `BlobStore`, as test cases. */
import { concatBytes } from '../../core/data/bytes.ts';
import type { ScratchFile } from '../../core/storage/ports.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, skip } from '../case.ts';
import type { BlobStoreHarness } from './blob-store-harness.ts';
import { assertNothing, bytesOf, withStore } from './blob-store-harness.ts';

const contentOf = async (file: ScratchFile): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.read()) {
    chunks.push(chunk.slice());
  }
  return concatBytes(chunks);
};

export const scratchFileCases: readonly Case<BlobStoreHarness>[] = [
  withStore('a scratch file returns the bytes that were appended, and is then removed', async (store, harness) => {
    const scratch = store.scratch ?? skip('the store has no scratch files');
    const first = await scratch.call(store);
    const second = await scratch.call(store);
    for (let i = 0; i < 20; i++) {
      await first.append(bytesOf(100_000, i));
      await second.append(bytesOf(i));
    }
    const expected = Array.from({ length: 20 }, (_, i) => bytesOf(100_000, i));
    assertEqual(await contentOf(first), concatBytes(expected), 'bytes');
    await first.remove();
    await second.remove();
    await second.remove();
    await assertNothing(harness, store);
  }),
  {
    name: 'the next open removes a scratch file that was left',
    async run(harness) {
      const store = await harness.open();
      const scratch = store.scratch ?? skip('the store has no scratch files');
      const temporaryFiles = harness.temporaryFiles ?? skip('the harness cannot list temporary files');
      const file = await scratch.call(store);
      await file.append(bytesOf(1000));
      // Closes it, as a crash does.
      assertEqual((await contentOf(file)).length, 1000, 'size');
      await store.close();
      await assertRejects(() => file.append(bytesOf(1)), 'Closed', 'an append after close');
      assert((await temporaryFiles.call(harness)).length > 0, 'something is left');
      const again = await harness.open();
      assertEqual(await temporaryFiles.call(harness), [], 'temporary files');
      await again.close();
    },
  },
];
