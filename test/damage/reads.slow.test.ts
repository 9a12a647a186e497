/** After any damage, reads return the right values or an error. */
import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Repo } from '../../src/core/repo/repo.ts';
import { isRepoError } from '../../src/core/errors.ts';
import { openRepo, saveBackup } from '../../src/node.ts';
import { POST, rkeyOf } from '../../src/testing/repo/harness.ts';
import { readAll } from '../../src/core/data/streams.ts';
import { seeded } from '../random/seeded.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import type { Sample } from './damaged-repo.ts';
import { changeFile, flipBlock, makeSample, namesOf, open } from './damaged-repo.ts';

const root = scratchFolder('reads');

/** Returns a whole list as texts. */
const all = async (items: AsyncIterable<unknown>): Promise<string> => {
  const found: string[] = [];
  for await (const item of items) {
    found.push(JSON.stringify(item));
  }
  return found.join('\n');
};

/** Every read, by name. */
const READS: Readonly<Record<string, (repo: Repo, sample: Sample) => Promise<unknown>>> = {
  get: async (repo) => JSON.stringify((await repo.get(POST, rkeyOf(5)))?.value),
  list: (repo) => all(repo.list(POST)),
  checkout: async (repo, { commits }) => all((await repo.checkout(commits[0]!.cid)).list(POST)),
  exportCar: (repo) => readAll(repo.exportCar()),
  getBlob: async (repo, { blob }) => new Uint8Array((await (await repo.getBlob(blob))?.arrayBuffer()) ?? []),
  log: (repo) => all(repo.log()),
  diff: (repo, { commits }) => all(repo.diff(commits[0]!.cid)),
  collections: async (repo) => JSON.stringify(await repo.collections()),
};

const resultsOf = (sample: Sample): Promise<Record<string, unknown>> =>
  open(sample.folder, async (repo) => {
    const results: Record<string, unknown> = {};
    for (const [name, read] of Object.entries(READS)) {
      try {
        results[name] = await read(repo, sample);
      } catch (error) {
        results[name] = isRepoError(error) ? error.code : error;
      }
    }
    return results;
  });

describe('a block with other bytes is Corrupt when it is read', () => {
  test.each([
    ['a record', (s: Sample) => s.record, ['get', 'list', 'checkout', 'exportCar']],
    ['the root of the tree', (s: Sample) => s.commits[2]!.data, ['get', 'list', 'exportCar', 'diff']],
    ['the head', (s: Sample) => s.commits[2]!.cid, ['get', 'list', 'exportCar', 'log', 'diff', 'collections']],
    ['an old root', (s: Sample) => s.commits[0]!.data, ['checkout', 'diff']],
    ['an old commit', (s: Sample) => s.commits[0]!.cid, ['checkout', 'log', 'diff']],
  ] as const)('%s', async (_, cidOf, corrupt) => {
    const sample = await makeSample(root);
    const before = await resultsOf(sample);
    await flipBlock(sample.folder, cidOf(sample));
    const after = await resultsOf(sample);
    for (const [name, result] of Object.entries(before)) {
      // All other reads do not depend on the block, and return the same as before.
      const wanted = (corrupt as readonly string[]).includes(name) ? ['Corrupt'] : [result, 'Corrupt'];
      expect(wanted, name).toContainEqual(after[name]);
    }
  });

  test('a blob', async () => {
    const sample = await makeSample(root);
    changeFile(sample.blobFile, (bytes) => void (bytes[7]! ^= 1));
    expect(await resultsOf(sample)).toMatchObject({ getBlob: 'Corrupt' });
  });
});

const SEED = 20260101;

test(`a flipped byte, or a page of zeros, anywhere in pds.db never makes an result wrong, seed ${SEED}`, async () => {
  const random = seeded(SEED);
  const sample = await makeSample(root);
  const before = await resultsOf(sample);
  let pages = 0;
  let original: Buffer | undefined;
  changeFile(sample.database, (bytes) => {
    original = Buffer.from(bytes);
    pages = bytes.length / 4096;
  });
  let named = 0;
  for (let page = 0; page < pages; page++) {
    for (const kind of ['byte', 'zeros'] as const) {
      const at = page * 4096 + Math.floor(random() * 4096);
      changeFile(sample.database, () => {
        const bytes = Buffer.from(original!);
        if (kind === 'byte') {
          bytes[at]! ^= 1 + Math.floor(random() * 255);
        } else {
          bytes.fill(0, page * 4096, (page + 1) * 4096);
        }
        return bytes;
      });
      const where = `${kind} at ${at}`;
      const names = await namesOf(sample.folder);
      named += names.length > 0 ? 1 : 0;
      if (kind === 'zeros') {
        expect(names, where).not.toEqual([]);
      }
      const after = await resultsOf(sample).catch((error: unknown) => {
        expect(isRepoError(error), `${where}: ${String(error)}`).toBe(true);
        return undefined;
      });
      for (const [name, result] of Object.entries(after ?? {})) {
        const isError =
          typeof result === 'string' && ['BlockNotFound', 'Corrupt', 'RefNotFound', 'HeadNotFound'].includes(result);
        // Results that also a repository without this data gives: no head, no list of commits, no such file.
        const isNothing = result === '' || result === '[]' || result === undefined;
        expect(
          isError || isNothing || names.length > 0 || JSON.stringify(result) === JSON.stringify(before[name]),
          `${where}: ${name}`,
        ).toBe(true);
        if (!isError && !isNothing && (name === 'get' || name === 'getBlob' || name === 'checkout')) {
          expect(result, `${where}: ${name}`).toEqual(before[name]);
        }
      }
    }
  }
  expect(named).toBeGreaterThan(pages);
}, 180_000);

describe('a blob that changes while it is being read', () => {
  /** A caller reads the `Blob` later, when the file has changed. The platform has its own error for that. */
  const changing = async (sample: Sample, readsBefore = 0): Promise<Repo> => {
    const repo = await openRepo(sample.folder);
    const stream = Blob.prototype.stream;
    let reads = 0;
    vi.spyOn(Blob.prototype, 'stream').mockImplementation(function (this: Blob) {
      if (reads++ >= readsBefore) {
        for (const file of [sample.blobFile, sample.otherBlobFile]) {
          writeFileSync(file, `another ${Math.random()}`);
        }
      }
      return stream.call(this);
    });
    return repo;
  };
  afterEach(() => vi.restoreAllMocks());

  test.each<[string, number, (repo: Repo, sample: Sample) => Promise<unknown>]>([
    ['getBlob', 0, (repo, { blob }) => repo.getBlob(blob)],
    ['repair', 0, (repo) => repo.repair()],
    ['a backup that looks at it', 0, (repo, { folder }) => saveBackup(repo, `${folder}-backup`, { damaged: true })],
    ['a backup that copies it', 2, (repo, { folder }) => saveBackup(repo, `${folder}-backup`)],
  ])('makes %s fail with StorageFailed and a cause', async (_, readsBefore, read) => {
    const sample = await makeSample(root);
    const repo = await changing(sample, readsBefore);
    await expect(read(repo, sample)).rejects.toMatchObject({
      name: 'RepoError',
      code: 'StorageFailed',
      cause: { name: 'NotReadableError' },
    });
    vi.restoreAllMocks();
    await repo.close();
  });

  test('is one fault of several in verify', async () => {
    const sample = await makeSample(root);
    const repo = await changing(sample);
    expect((await repo.verify()).faults).toMatchObject([{ code: 'StorageFailed' }, { code: 'StorageFailed' }]);
    vi.restoreAllMocks();
    await repo.close();
  });
});
