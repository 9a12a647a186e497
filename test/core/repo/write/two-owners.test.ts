/** Two repositories that are open on one store, as two processes are on a store of a server. */
import { expect, test } from 'vitest';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { listOf } from '../../../../src/core/data/list-of.ts';
import type { BlockStore } from '../../../../src/core/storage/ports.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import { DID, KEY, OTHER_KEY, POST, post } from '../../../../src/testing/repo/harness.ts';

/** Returns a function that opens the store again, beside those that are open. */
const sharedStore = () => {
  const blocks = new MemoryBlockStore();
  const blobs = new MemoryBlobStore();
  const store: BlockStore = new Proxy(blocks, {
    get(target, name) {
      const value: unknown = name === 'exclusive' ? false : Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { blocks, open: (signer = KEY) => repoOver({ did: DID, store, blobs, signer }) };
};

test('the stored key of the account is that of the last write by any of them', async () => {
  const { blocks, open } = sharedStore();
  const first = open(KEY);
  const second = open(OTHER_KEY);
  await first.put(POST, 'a', post('1'));
  // The second write could keep the key in memory.
  await first.put(POST, 'a', post('1, edited'));
  expect(await blocks.meta('key')).toBe(KEY.did());
  await second.put(POST, 'b', post('2'), { allowOtherKey: true });
  expect(await blocks.meta('key')).toBe(OTHER_KEY.did());
  await first.put(POST, 'c', post('3'), { allowOtherKey: true });
  expect(await blocks.meta('key')).toBe(KEY.did());
});

test('each writes on the head of the other', async () => {
  const { open } = sharedStore();
  const [first, second] = [open(), open()];
  for (let i = 0; i < 6; i++) {
    await (i % 2 === 0 ? first : second).put(POST, `r${i}`, post(`${i}`));
  }
  const keys = (await listOf(first.list(POST))).map(({ rkey }) => rkey);
  expect(keys).toEqual(['r0', 'r1', 'r2', 'r3', 'r4', 'r5']);
  expect(await second.head()).toEqual(await first.head());
  expect((await second.verify()).ok).toBe(true);
});
