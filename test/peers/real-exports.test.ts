/**
 * Real accounts, as their hosts exported them. The export equals the import, and the libraries of the field read it.
 */
import { fromUint8Array } from '@atcute/repo';
import { MemoryBlockstore, Repo as ReferenceRepo, readCarWithRoot } from '@atproto/repo';
import { describe, expect, test } from 'vitest';
import { readCar } from '../../src/core/car/reader.ts';
import { decodeCommit } from '../../src/core/repo/commit.ts';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import { listOf } from '../../src/core/data/list-of.ts';
import { readAll } from '../../src/core/data/streams.ts';
import { vectorBytes, vectorNames } from '../vectors.ts';

const EXPORTS = vectorNames('repos', /\.repo(\.car)?$/);

const import_ = async (car: Uint8Array): Promise<Repo> => {
  const commit = [...readCar(car)].find(({ cid }) => cid.equals(readCar(car).roots[0]!))!;
  const repo = repoOver({
    did: decodeCommit(commit.bytes).did,
    store: new MemoryBlockStore(),
    blobs: new MemoryBlobStore(),
  });
  await repo.importCar(car);
  return repo;
};

const pathsOf = async (repo: Repo): Promise<string[]> =>
  (await listOf((await repo.checkout()).entries())).map(({ collection, rkey, cid }) => `${collection}/${rkey} ${cid}`);

describe('exports of real accounts', () => {
  test.each(EXPORTS)('%s is exported unchanged', async (name) => {
    const car = vectorBytes(`repos/${name}`);
    const repo = await import_(car);
    const paths = await pathsOf(repo);
    expect(paths.length).toBeGreaterThan(0);
    expect((await repo.verify()).faults).toEqual([]);
    const ours = await readAll(repo.exportCar());

    const again = await import_(ours);
    expect(String((await again.head())!.cid)).toBe(String((await repo.head())!.cid));
    expect(await pathsOf(again)).toEqual(paths);

    const { root, blocks } = await readCarWithRoot(ours);
    expect(root.toString()).toBe(String((await repo.head())!.cid));
    const reference = await ReferenceRepo.load(new MemoryBlockstore(blocks), root);
    const theirs: string[] = [];
    for await (const { collection, rkey, cid } of reference.walkRecords()) {
      theirs.push(`${collection}/${rkey} ${cid.toString()}`);
    }
    expect(theirs).toEqual(paths);

    // atcute reads only commits of version 3. The reference reports version 3 for every commit.
    const [commit] = readCar(ours);
    if (decodeCommit(commit!.bytes).version === 3) {
      const found = [...fromUint8Array(ours)].map(({ collection, rkey, cid }) => `${collection}/${rkey} ${cid.$link}`);
      expect(found.sort()).toEqual([...paths].sort());
    }
  });

  test('an incomplete CAR is refused', async () => {
    const car = vectorBytes('repos/repo_slice.car');
    await expect(import_(car)).rejects.toMatchObject({ name: 'RepoError' });
  });
});
