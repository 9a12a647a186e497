/** Writes with a name: done once, however often they are asked for. */
import { beforeEach, describe, expect, test } from 'vitest';
import { isRepoError } from '../../../../src/core/errors.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import type { Repo } from '../../../../src/core/repo/repo.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { MAX_REQUESTS } from '../../../../src/core/repo/write/requests.ts';
import { listOf } from '../../../../src/core/data/list-of.ts';
import { DID, POST, creates, post, rkeyOf } from '../../../../src/testing/repo/harness.ts';
import { readAll } from '../../../../src/core/data/streams.ts';

const newRepo = (): Repo => repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
const commits = async (repo: Repo): Promise<number> => (await listOf(repo.log())).length;
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'none',
    (error: unknown) => (isRepoError(error) ? error.code : error),
  );

let repo: Repo;
beforeEach(() => {
  repo = newRepo();
});

describe('a write that is asked for again', () => {
  const again = { since: undefined };

  test('returns the first result, and notifies no listener again', async () => {
    let heard = 0;
    repo.onChange(() => (heard += 1));
    const first = await repo.write(creates(2), { request: { id: 'a' } });
    expect(await repo.write(creates(2), { request: { id: 'a', again } })).toEqual(first);
    const put = await repo.put(POST, 'x', post('x'), { request: { id: 'b' } });
    expect(await repo.put(POST, 'x', post('x'), { request: { id: 'b', again } })).toEqual(put);
    const gone = await repo.delete(POST, 'x', { request: { id: 'c' } });
    expect(gone).toBeDefined();
    expect(await repo.delete(POST, 'x', { request: { id: 'c', again } })).toEqual(gone);
    const tree = await (await repo.checkout()).put(POST, 'y', post('y'));
    const made = await repo.commit(tree, { request: { id: 'd' } });
    expect(await repo.commit(tree, { request: { id: 'd', again } })).toEqual(made);
    expect([await commits(repo), heard]).toEqual([4, 4]);
  });

  test('is made if it was not', async () => {
    await repo.write(creates(1), { request: { id: 'a', again } });
    expect(await commits(repo)).toBe(1);
  });

  test('an import returns its counts', async () => {
    await repo.write(creates(30));
    const car = await readAll(repo.exportCar());
    const copy = newRepo();
    const first = await copy.importCar(car, { allowUnsigned: true, request: { id: 'a' } });
    expect(first.created).toBe(30);
    expect(await copy.importCar(car, { allowUnsigned: true, request: { id: 'a', again } })).toEqual(first);
  });

  test('a failed one is not recorded', async () => {
    await repo.write(creates(1));
    expect(await codeOf(repo.write(creates(1), { request: { id: 'a' } }))).toBe('RecordExists');
    expect(await codeOf(repo.write(creates(1), { request: { id: 'a', again } }))).toBe('RecordExists');
  });

  test(`is recorded over ${MAX_REQUESTS - 1} others; then its outcome is unknown, unless it was requested later`, async () => {
    const first = await repo.write(creates(1), { request: { id: 'first' } });
    for (let i = 1; i < MAX_REQUESTS; i++) {
      await repo.write([], { request: { id: `n${i}` } });
    }
    expect((await repo.write(creates(1), { request: { id: 'first', again } })).rev).toBe(first.rev);
    const { rev } = await repo.write([], { request: { id: 'one-more' } });
    expect(await codeOf(repo.write(creates(1), { request: { id: 'first', again } }))).toBe('OutcomeUnknown');
    // Asked for first when the head was younger than anything that was forgotten: then it has not happened.
    await repo.write(creates(1, 5), { request: { id: 'late', again: { since: rev } } });
    expect((await repo.get(POST, rkeyOf(5)))?.value['text']).toBe('post 5');
  });

  test('has an unknown outcome after gc removed its commit', async () => {
    await repo.write(creates(1), { request: { id: 'a' } });
    await repo.write([]);
    await repo.gc();
    expect(await codeOf(repo.write(creates(1), { request: { id: 'a', again } }))).toBe('OutcomeUnknown');
  });

  test('has a name that fits its line', async () => {
    for (const id of ['', 'a b', 'a\nb', 'x'.repeat(41)]) {
      await expect(repo.write([], { request: { id } })).rejects.toThrow(TypeError);
    }
  });
});
