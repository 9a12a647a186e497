import { CID as AnyCid } from 'multiformats/cid';
import * as digest from 'multiformats/hashes/digest';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../src/core/data/sha256.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import { blockStoreCases } from '../../../src/testing/storage/block-store-cases.ts';
import { blockOf, put } from '../../../src/testing/storage/block-store-harness.ts';
import type { BlockStoreHarness } from '../../../src/testing/storage/block-store-harness.ts';
import { runCases } from '../../run-cases.ts';

describe('MemoryBlockStore', () => {
  runCases(blockStoreCases, (): BlockStoreHarness => ({ open: async () => new MemoryBlockStore(), forgetful: true }));

  test('has the DID of its constructor', async () => {
    await using store = new MemoryBlockStore('did:plc:ewvi7nxzyoun6zhxrhs64oiz');
    expect(await store.meta('did')).toBe('did:plc:ewvi7nxzyoun6zhxrhs64oiz');
    await using other = new MemoryBlockStore();
    expect(await other.meta('did')).toBeUndefined();
  });

  test('rejects a block with an unsupported CID, and all blocks of the call', async () => {
    await using store = new MemoryBlockStore();
    const hash = sha256(blockOf(1).bytes);
    const kinds = [
      AnyCid.createV1(0x70, digest.create(0x12, hash)),
      AnyCid.createV1(0x71, digest.create(0x13, hash)),
      AnyCid.createV1(0x71, digest.create(0x12, hash.subarray(0, 20))),
      AnyCid.createV0(digest.create(0x12, hash) as Parameters<typeof AnyCid.createV0>[0]),
    ];
    for (const cid of kinds) {
      await expect(put(store, [blockOf(1), { cid, bytes: blockOf(1).bytes }])).rejects.toMatchObject({
        code: 'Malformed',
      });
      expect(await store.get(cid)).toBeUndefined();
    }
    expect(await store.count()).toBe(0);
  });
});
