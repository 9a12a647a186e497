import { expect, test } from 'vitest';
import { encodeCbor } from '../../../../src/core/data/cbor-encode.ts';
import type { CidBytes } from '../../../../src/core/data/cid.ts';
import { CID_LENGTH, CODEC_DAG_CBOR, cidBytesToText, cidOf, cidToText } from '../../../../src/core/data/cid.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import type { Fault } from '../../../../src/core/data/fault.ts';
import { createRecordCheck } from '../../../../src/core/repo/transfer/check-records.ts';
import { Staging } from '../../../../src/core/repo/transfer/staging.ts';
import { keyOrder } from '../../../../src/core/repo/transfer/staging-order.ts';
import type { BlockChange } from '../../../../src/core/storage/ports.ts';
import type { Block } from '../../../../src/core/blocks/block.ts';
import { packedOf } from '../../blocks/packed.ts';

const blockOf = (n: number, size = 8): Block => {
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, n);
  return { cid: cidOf(CODEC_DAG_CBOR, bytes), bytes };
};
const link = (staging: Staging, blocks: readonly Block[]): void => blocks.forEach(({ cid }) => staging.link(cid.bytes));

/** A change that records the blocks of `put`, in order. */
const recorded = (change: BlockChange, puts: string[]): BlockChange =>
  new Proxy(change, {
    get(target, name) {
      if (name === 'put') {
        return (blocks: readonly Block[]) => {
          puts.push(...blocks.map(({ cid }) => cidToText(cid)));
          return target.put(blocks);
        };
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });

const begun = (change: BlockChange): Staging => {
  const staging = new Staging();
  staging.begin(change);
  return staging;
};

/** Stages blocks, links some of them, and returns the result. */
const settle = async (store: MemoryBlockStore, blocks: readonly Block[], linked: readonly Block[]) => {
  const puts: string[] = [];
  let unlinked = -1;
  const added = await store.transact(async (change) => {
    const staging = begun(recorded(change, puts));
    await staging.add(packedOf(blocks));
    const found = await staging.getMany([...blocks.map(({ cid }) => cid), blockOf(1e6).cid]);
    expect(found.map((bytes) => bytes && [...bytes.subarray(0, 4)])).toEqual([
      ...blocks.map(({ bytes }) => [...bytes.subarray(0, 4)]),
      undefined,
    ]);
    link(staging, linked);
    return staging.flush((bytes) => {
      unlinked = bytes;
    });
  });
  return { added, puts, unlinked };
};

const few = Array.from({ length: 500 }, (_, n) => blockOf(n));

test('few blocks: only the linked ones are written, once, in key order', async () => {
  const store = new MemoryBlockStore();
  const linked = few.filter((_, n) => n % 3 > 0);
  const { added, puts, unlinked } = await settle(store, [...few, few[0]!], linked);
  expect([added, unlinked, await store.count()]).toEqual([
    linked.length,
    (500 - linked.length) * (8 + CID_LENGTH),
    linked.length,
  ]);
  expect(puts).toEqual(linked.map(({ cid }) => String(cid)).sort());
});

test('blocks above the limit are written on arrival, and removed again if unreferenced', async () => {
  const store = new MemoryBlockStore();
  const large = Array.from({ length: 70 }, (_, n) => blockOf(n, 1024 * 1024));
  const stored = large[7]!;
  await store.transact((change) => change.put([stored]));
  const linked = large.filter((block, n) => n % 2 === 0 && block !== stored);
  const puts: string[] = [];
  const added = await store.transact(async (change) => {
    const staging = begun(recorded(change, puts));
    for (const block of large) {
      await staging.add(packedOf([block]));
    }
    // One more than fit into 40 MiB, then into 12 MiB twice: each block has some bytes of overhead.
    expect(puts.length).toBe(40 + 12 + 12);
    expect((await staging.get(large[1]!.cid))?.subarray(0, 4)).toEqual(large[1]!.bytes.subarray(0, 4));
    expect(staging.has(large[1]!.cid.bytes)).toBe(true);
    link(staging, linked);
    return staging.flush(() => undefined);
  });
  // Blocks that were stored before stay.
  expect([added, await store.count()]).toEqual([linked.length, linked.length + 1]);
  expect((await store.get(stored.cid))?.length).toBe(stored.bytes.length);
});

test('the sorted runs of a CAR in memory have all the same size', async () => {
  const puts: string[] = [];
  await new MemoryBlockStore().transact(async (change) => {
    const staging = new Staging(new Uint8Array(1));
    staging.begin(recorded(change, puts));
    for (let n = 0; n < 70; n++) {
      await staging.add(packedOf([blockOf(n, 1024 * 1024)]));
    }
    expect(puts.length).toBe(40);
  });
});

test('a chunk stays in memory for any of its blocks, up to the limit', async () => {
  const store = new MemoryBlockStore();
  const puts: string[] = [];
  const filler = blockOf(1e6, 1024 * 1024);
  await store.transact(async (change) => {
    const staging = begun(recorded(change, puts));
    for (let n = 0; n < 60; n++) {
      await staging.add(packedOf([blockOf(n), filler]));
    }
    expect(puts.length).toBe(41 + 12);
    await staging.flush(() => undefined);
  });
  expect(await store.count()).toBe(0);
});

test('the end of a CAR that does not fit writes the rest, and that of another one writes nothing', async () => {
  const puts: string[] = [];
  await new MemoryBlockStore().transact(async (change) => {
    const small = begun(recorded(change, puts));
    await small.add(packedOf(few));
    await small.end();
    expect(puts.length).toBe(0);
    const large = begun(recorded(change, puts));
    for (let n = 0; n < 45; n++) {
      await large.add(packedOf([blockOf(n, 1024 * 1024)]));
    }
    expect(puts.length).toBe(40);
    await large.end();
    expect(puts.length).toBe(45);
    expect((await large.get(blockOf(44, 1024 * 1024).cid))?.length).toBe(1024 * 1024);
  });
});

test('a node is visited once, whether it is staged or not', async () => {
  await new MemoryBlockStore().transact(async (change) => {
    const staging = begun(change);
    await staging.add(packedOf(few));
    const visits = [few[0]!, few[1]!, few[0]!, blockOf(1e6), blockOf(1e6 + 1), blockOf(1e6)];
    expect(visits.map(({ cid }) => staging.visit(cid.bytes as CidBytes))).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
  });
});

test('a record that left memory is not read again when it is sound and mentions no blob', async () => {
  const store = new MemoryBlockStore();
  const recordOf = (value: object): Block => {
    const bytes = encodeCbor({ $type: 'com.example.record', ...value });
    return { cid: cidOf(CODEC_DAG_CBOR, bytes), bytes };
  };
  const plain = recordOf({ text: 'plain' });
  const blob = recordOf({ blob: { mimeType: 'text/plain', cid: String(plain.cid) } });
  const broken: Block = { cid: few[0]!.cid, bytes: few[0]!.bytes };
  const read: string[] = [];
  await store.transact(async (change) => {
    const staging = begun(change);
    await staging.add(packedOf([plain, blob, broken]));
    expect([plain, blob, broken].map(({ cid }) => staging.isPlain(cid.bytes))).toEqual([false, false, false]);
    for (let n = 0; n < 49; n++) {
      await staging.add(packedOf([blockOf(n, 1024 * 1024)]));
    }
    expect([plain, blob, broken].map(({ cid }) => staging.isPlain(cid.bytes))).toEqual([true, false, false]);
    const faults: Fault[] = [];
    const records = createRecordCheck(
      (cids) => {
        read.push(...cids.map(cidBytesToText));
        return staging.read(cids);
      },
      staging,
      (fault) => faults.push(fault),
    );
    const leafOf = (key: string, { cid }: Block) => ({ key, value: cid.bytes as CidBytes });
    await records.check([
      leafOf('com.example.record/a', plain),
      leafOf('com.example.record/b', blob),
      leafOf('com.example.record/c', broken),
      leafOf('nothing/d', plain),
    ]);
    expect(read).toEqual([String(blob.cid), String(broken.cid)]);
    expect(records.mentioned.size).toBe(1);
    expect(faults.map(({ path, code }) => [path, code])).toEqual(
      expect.arrayContaining([
        ['com.example.record/c', 'Malformed'],
        ['nothing/d', 'Malformed'],
      ]),
    );
    await staging.flush(() => undefined);
  });
});

test('a block that is already stored is not new, and must match its CID', async () => {
  const store = new MemoryBlockStore();
  await store.transact((change) => change.put(few.slice(0, 100)));
  expect((await settle(store, few, few)).added).toBe(400);
  const damaged = new MemoryBlockStore();
  await damaged.transact((change) => change.put([{ cid: few[5]!.cid, bytes: Uint8Array.of(1) }]));
  await expect(settle(damaged, few, few)).rejects.toMatchObject({
    code: 'Corrupt',
    message: expect.stringContaining(String(few[5]!.cid)),
  });
  expect(await damaged.count()).toBe(1);
});

test('a CAR that is rejected for unreferenced blocks is not written', async () => {
  const store = new MemoryBlockStore();
  const puts: string[] = [];
  const change = store.transact(async (inner) => {
    const staging = begun(recorded(inner, puts));
    await staging.add(packedOf(few));
    await staging.flush((bytes) => {
      throw new Error(`unlinked ${bytes}`);
    });
  });
  await expect(change).rejects.toThrow(`unlinked ${500 * (8 + CID_LENGTH)}`);
  expect(puts).toEqual([]);
});

test('the order is that of the texts, except for equal first seven characters', () => {
  const cids = Array.from({ length: 5000 }, (_, n) => blockOf(n).cid.bytes as CidBytes);
  const sorted = Array.from(
    keyOrder(cids.length, (i) => cids[i]!),
    (i) => cidBytesToText(cids[i]!).slice(0, 13),
  );
  expect(sorted).toEqual(cids.map((cid) => cidBytesToText(cid).slice(0, 13)).sort());
  expect(new Set(keyOrder(cids.length, (i) => cids[i]!)).size).toBe(5000);
});
