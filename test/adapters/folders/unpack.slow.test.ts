/** `unpackRepo` and `packFolder` of 10,000 records, also where case is ignored. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packFrom } from '../../../src/adapters/folders/pack.ts';
import { unpackInto } from '../../../src/adapters/folders/unpack.ts';
import { equalBytes } from '../../../src/core/data/bytes.ts';
import { readAll } from '../../../src/core/data/streams.ts';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import { packFolder, unpackRepo } from '../../../src/node.ts';
import { DID, KEY } from '../../../src/testing/repo/harness.ts';
import { scratchFolder } from '../scratch.ts';
import { oddWrites } from './odd-records.ts';
import { strictPlace } from './strict-folder.ts';

const root = scratchFolder('unpack-large');

test('10,000 records give the same CAR', async () => {
  const repo = repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore(), signer: KEY });
  await repo.write(oddWrites(10_000));
  const car = await readAll(repo.exportCar());
  await unpackRepo(repo, join(root, 'plain'));
  const packed = await packFolder(join(root, 'plain'));
  expect(packed.records).toBeGreaterThan(10_000);
  expect(equalBytes(await readAll(packed.car()), car)).toBe(true);

  const place = strictPlace(join(root, 'strict'));
  await unpackInto(place, repo, {});
  expect(equalBytes(await readAll((await packFrom(place, {})).car()), car)).toBe(true);
});
