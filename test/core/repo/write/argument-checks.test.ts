/** Arguments as scripts without types give them. */
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import type { Repo } from '../../../../src/core/repo/repo.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { DID, POST, post } from '../../../../src/testing/repo/harness.ts';

let repo: Repo;
beforeEach(() => {
  repo = repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
});

describe('swapRecord', () => {
  test.each([
    ['update', { value: post('two') }],
    ['delete', {}],
    ['create', { value: post('two') }],
  ] as const)('as a text is a TypeError that names it: %s', async (action, more) => {
    const { cid } = await repo.put(POST, 'a', post('one'));
    const op = { action, collection: POST, rkey: 'a', swapRecord: String(cid), ...more };
    const expected = {
      name: 'TypeError',
      message: `expected a CID: use parseCid for a text; swapRecord=${cid}`,
    };
    await expect(repo.write([op as never])).rejects.toMatchObject(expected);
  });

  test('of another copy of multiformats is a CID', async () => {
    const { cid } = await repo.put(POST, 'a', post('one'));
    const foreign = { '/': cid.bytes, bytes: cid.bytes, code: cid.code, version: cid.version } as never;
    await repo.write([{ action: 'update', collection: POST, rkey: 'a', value: post('two'), swapRecord: foreign }], {
      swapCommit: (await repo.head())!.cid,
    });
    expect((await repo.get(POST, 'a'))?.value['text']).toBe('two');
  });
});

test('the error of getBlob contains the wrong argument, shortened', async () => {
  await expect(repo.getBlob('x'.repeat(200) as never)).rejects.toThrow(
    new TypeError(`expected a CID: use parseCid for a text; cid=${'x'.repeat(80)}`),
  );
  await expect(repo.getBlob(undefined as never)).rejects.toThrow('cid=undefined');
});
