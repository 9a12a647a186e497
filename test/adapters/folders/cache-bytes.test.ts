/** The option `cacheBytes`: a budget for the caches of all repositories of the process. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { DEFAULT_CACHE_BYTES } from '../../../src/adapters/sqlite/open-repo.ts';
import { createRepo, openRepo } from '../../../src/node.ts';
import { DID, POST, post } from '../../../src/testing/repo/harness.ts';
import { createPageWorker, serveRepos } from '../../../src/worker.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'pdsdb-cache-'));
});
afterEach(async () => {
  // The budget belongs to the process, which other test files share.
  const directory = mkdtempSync(join(root, 'default-'));
  await (await createRepo(directory, { did: DID, cacheBytes: DEFAULT_CACHE_BYTES })).close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const WRONG: readonly unknown[] = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1024', null, 1024n];

test.each(WRONG)('is a TypeError if it is %s, and nothing is opened', async (cacheBytes) => {
  const wrong = { cacheBytes: cacheBytes as number };
  const directory = join(mkdtempSync(join(root, 'wrong-')), 'repo');
  const error = { name: 'TypeError', message: expect.stringMatching(/^cacheBytes must be a non-negative integer/) };
  await expect(createRepo(directory, { did: DID, ...wrong })).rejects.toMatchObject(error);
  expect(existsSync(directory)).toBe(false);
  await (await createRepo(directory, { did: DID })).close();
  await expect(openRepo(directory, wrong)).rejects.toMatchObject(error);
  await (await openRepo(directory)).close();
  expect(() => serveRepos(wrong)).toThrow(expect.objectContaining(error));
  expect(() => createPageWorker(wrong)).toThrow(expect.objectContaining(error));
});

test.each([0, 1, 64 * 1024])('of %d bytes changes no result', async (cacheBytes) => {
  const directory = join(mkdtempSync(join(root, 'small-')), 'repo');
  const rkeys = Array.from({ length: 300 }, (_, index) => `k${String(index).padStart(4, '0')}`);
  {
    await using repo = await createRepo(directory, { did: DID, cacheBytes });
    await repo.write(rkeys.map((rkey) => ({ action: 'create', collection: POST, rkey, value: post(rkey) })));
    await repo.put(POST, rkeys[7]!, post('changed'));
    await repo.delete(POST, rkeys[8]!);
    expect((await repo.get(POST, rkeys[7]!))?.value).toEqual(post('changed'));
  }
  await using repo = await openRepo(directory, { cacheBytes });
  const found: string[] = [];
  for await (const { rkey, value } of repo.list(POST)) {
    expect(value).toEqual(post(rkey === rkeys[7] ? 'changed' : rkey));
    found.push(rkey);
  }
  expect(found).toEqual(rkeys.filter((rkey) => rkey !== rkeys[8]));
  expect((await repo.verify()).faults).toEqual([]);
});
