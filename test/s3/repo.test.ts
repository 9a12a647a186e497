/** Repositories whose blobs are on a real S3 server. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openS3Blobs } from '../../src/adapters/s3/open-blobs.ts';
import { importKey } from '../../src/core/crypto/signing-key.ts';
import { listOf } from '../../src/core/data/list-of.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import { createRepo, importRepo, openOrCreateRepo, openRepo, restoreBackup, saveBackup } from '../../src/node.ts';
import { repoBlobCases } from '../../src/testing/repo/blob-cases.ts';
import { DID } from '../../src/testing/repo/harness.ts';
import type { RepoHarness } from '../../src/testing/repo/harness.ts';
import { bytesOf } from '../../src/testing/storage/blob-store-harness.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { buildPackage } from '../built-package.ts';
import { textOf } from '../house/sources.ts';
import { createReader } from '../readme/reader.ts';
import type { FileSample } from '../readme/samples.ts';
import { samplesOf } from '../readme/samples.ts';
import { runCases } from '../run-cases.ts';
import { lacksS3, makeBucket, why } from './s3-server.ts';

const root = scratchFolder('s3-repo');
const PART = 64 * 1024;
let count = 0;
const newFolder = (): string => join(root, `repo-${count++}`);

/** Over SQLite in a folder, with the blobs in parts of 64 KiB. */
const sqliteHarness = (): RepoHarness => {
  const directory = newFolder();
  const bucket = makeBucket({ prefix: 'blobs/', partSize: PART });
  const blobs = async () => ({ blobs: await openS3Blobs((await bucket).options) });
  return {
    create: async (options) => createRepo(directory, { ...options, ...(await blobs()) }),
    open: async (options) => openRepo(directory, { ...options, ...(await blobs()) }),
    openReadOnly: async () => openRepo(directory, { readOnly: true, ...(await blobs()) }),
    openOrCreate: async (options) => openOrCreateRepo(directory, { ...options, ...(await blobs()) }),
    importRepo: async (car, options) => importRepo(directory, car, { ...options, ...(await blobs()) }),
    other: sqliteHarness,
  };
};

const memoryHarness = (): RepoHarness => ({
  create: async (options) =>
    repoOver({ ...options, store: new MemoryBlockStore(), blobs: await openS3Blobs((await makeBucket()).options) }),
  open: () => Promise.reject(new Error('memory keeps nothing')),
  other: memoryHarness,
  forgetful: true,
  noFiles: true,
});

describe.skipIf(lacksS3)(`a repository in SQLite${why}`, () => runCases(repoBlobCases, sqliteHarness));
describe.skipIf(lacksS3)(`a repository in memory${why}`, () => runCases(repoBlobCases, memoryHarness));

describe.skipIf(lacksS3)(`a repository in a folder with blobs in a bucket${why}`, () => {
  const signer = importKey('11'.repeat(32));
  const bytes = bytesOf(5 * PART + 1);

  test('has no blob in its folder, and finds its blobs when it is opened again', async () => {
    const [folder, bucket] = [newFolder(), await makeBucket({ partSize: PART })];
    const open = async (): Promise<Repo> =>
      openOrCreateRepo(folder, { did: DID, signer, blobs: await openS3Blobs(bucket.options) });
    const repo = await open();
    const image = await repo.putBlob(new Blob([bytes], { type: 'image/png' }));
    await repo.put('com.example.photo', 'one', { image });
    await repo.close();
    expect(readdirSync(folder)).toEqual(['pds.db']);
    const again = await open();
    expect((await listOf(again.blobs())).map(({ size, mimeType }) => [size, mimeType])).toEqual([
      [bytes.length, 'image/png'],
    ]);
    expect(await again.verify()).toMatchObject({ ok: true, blobs: 1 });
    // Damage is found by the hash, as in files.
    await bucket.put(String(image.ref), bytes.slice(1));
    await expect(again.getBlob(image.ref)).rejects.toMatchObject({ code: 'Corrupt' });
    expect((await again.verify()).ok).toBe(false);
    await again.close();
  });

  test('a backup of it has the blobs as files', async () => {
    const [folder, bucket] = [newFolder(), await makeBucket({ partSize: PART })];
    const repo = await createRepo(folder, { did: DID, signer, blobs: await openS3Blobs(bucket.options) });
    const image = await repo.putBlob(bytes);
    await repo.put('com.example.photo', 'one', { image });
    await saveBackup(repo, `${folder}-backup`);
    await repo.close();
    await restoreBackup(`${folder}-backup`, `${folder}-restored`);
    const restored = await openRepo(`${folder}-restored`);
    const hash = createHash('sha256').update(await (await restored.getBlob(image.ref))!.bytes());
    expect(hash.digest()).toEqual(Buffer.from(image.ref.multihash.digest));
    await restored.close();
  });

  test('an import from a CAR opens it with the blobs', async () => {
    const [folder, bucket] = [newFolder(), await makeBucket()];
    const source = await createRepo(newFolder(), { did: DID, signer });
    await source.put('com.example.note', 'one', { text: 'hello' });
    const car = new Blob([await new Response(source.exportCar() as ReadableStream).arrayBuffer()]);
    await source.close();
    const repo = await importRepo(folder, car, { blobs: await openS3Blobs(bucket.options) });
    const image = await repo.putBlob(bytes);
    expect(await bucket.keys()).toEqual([String(image.ref)]);
    await repo.close();
  });
});

test.skipIf(lacksS3)(`the program of the guide runs twice${why}`, async () => {
  const reader = await createReader(await buildPackage('s3-guide'));
  try {
    const bucket = await makeBucket();
    const { endpoint, region, bucket: name, prefix, accessKeyId, secretAccessKey } = bucket.options;
    const variables = {
      S3_ENDPOINT: endpoint,
      S3_REGION: region,
      S3_BUCKET: name,
      S3_ACCESS_KEY_ID: accessKeyId,
      S3_SECRET_ACCESS_KEY: secretAccessKey,
    };
    const env = Object.entries(variables).map(([key, value]) => `${key}=${value}`);
    const program = /^```ts\n[\s\S]*?^```$/m.exec(textOf('docs/guides/keep-blobs-in-s3.md'))![0];
    const [sample] = samplesOf(program) as FileSample[];
    expect(sample!.code).toContain("prefix: 'alice/'");
    const code = sample!.code.replace("prefix: 'alice/'", `prefix: '${prefix}alice/'`);
    for (const _ of [1, 2]) {
      const printed = await reader.run({ ...sample!, command: `env ${env.join(' ')} ${sample!.command}`, code });
      expect(printed).toMatch(/^bafkrei\w{52} 9 image\/png\nimage\/png a picture\nvalid: true\n$/);
    }
    expect((await bucket.keys()).length).toBe(1);
    expect(existsSync(join(reader.folder, 'alice', 'blobs'))).toBe(false);
  } finally {
    await reader.remove();
  }
});
