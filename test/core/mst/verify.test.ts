import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../../src/core/data/bytes.ts';
import type { CidBytes } from '../../../src/core/data/cid.ts';
import { cidOf, cidToText, decodeCid } from '../../../src/core/data/cid.ts';
import { layerOf } from '../../../src/core/mst/key.ts';
import type { Leaf } from '../../../src/core/mst/node.ts';
import { EMPTY_NODE_BYTES, EMPTY_ROOT, MAX_NODE_ENTRIES, MAX_TREE_DEPTH } from '../../../src/core/mst/node.ts';
import type { TreeReport, VerifyTreeOptions } from '../../../src/core/mst/verify.ts';
import { verifyTree } from '../../../src/core/mst/verify.ts';
import { seeded } from '../../random/seeded.ts';
import { BlocksInMemory, buildTree, manyKeys, valueOf } from './blocks-in-memory.ts';
import type { Shape } from './raw-node.ts';
import { NULL, byteString, entry, keysOfLayer, link, list, map, uint, writeShape } from './raw-node.ts';

// Keys by layer, all of one layer before those of the next letter.
const keysAt = (letter: string, layer: number): string[] => keysOfLayer(layer, 5, `${letter}/`);
const [a0, a1, a2] = [0, 1, 2].map((layer) => keysAt('a', layer)) as [string[], string[], string[]];
const [b0, b1, b2] = [0, 1, 2].map((layer) => keysAt('b', layer)) as [string[], string[], string[]];
const c0 = keysAt('c', 0);

const verifyShape = async (shape: Shape, options?: VerifyTreeOptions): Promise<TreeReport> => {
  const blocks = new BlocksInMemory();
  return verifyTree(blocks, decodeCid(writeShape(shape, (block) => blocks.put(block))), options);
};

const sound: Shape = { keys: [b1[0]!], children: [{ keys: [a0[0]!, a0[1]!] }, { keys: [c0[0]!] }] };

describe('a sound tree', () => {
  test('has no fault, written by hand', async () => {
    expect(await verifyShape(sound)).toEqual({ faults: [], faultCount: 0, nodes: 3, leaves: 4 });
  });

  test('may have nodes without keys between others', async () => {
    const bridged: Shape = { keys: [b2[0]!], children: [{ keys: [], children: [{ keys: [a0[0]!] }] }, undefined] };
    expect(await verifyShape(bridged)).toEqual({ faults: [], faultCount: 0, nodes: 3, leaves: 2 });
  });

  test('may be empty', async () => {
    const blocks = new BlocksInMemory();
    blocks.put({ cid: EMPTY_ROOT, bytes: EMPTY_NODE_BYTES });
    expect(await verifyTree(blocks, EMPTY_ROOT)).toEqual({ faults: [], faultCount: 0, nodes: 1, leaves: 0 });
  });

  test('of any size is reported node by node and leaf by leaf, in order (seed 61)', async () => {
    const blocks = new BlocksInMemory();
    const keys = manyKeys(5000, seeded(61));
    const root = buildTree(
      blocks,
      keys.map((key) => [key, valueOf('one')]),
    );
    const nodes = new Set<string>();
    const leaves: Leaf[] = [];
    const report = await verifyTree(blocks, root, {
      onNode: (cid) => nodes.add(cidToText(decodeCid(cid))),
      onLeaves: async (batch) => {
        leaves.push(...batch);
      },
    });
    expect(report).toEqual({ faults: [], faultCount: 0, nodes: blocks.blocks.size, leaves: 5000 });
    expect(nodes).toEqual(new Set(blocks.blocks.keys()));
    expect(leaves.map(({ key }) => key)).toEqual(keys);
  });

  test('may have one record under two keys, and records that look like nodes', async () => {
    const value = EMPTY_ROOT.bytes as CidBytes;
    expect((await verifyShape({ keys: [a0[0]!, a0[1]!], values: [value, value] })).faults).toEqual([]);
  });
});

const shared: Shape = { keys: [a0[0]!] };
const shapes: Record<string, readonly [Shape, RegExp]> = {
  'reversed subtrees': [{ keys: [b1[0]!], children: [{ keys: [c0[0]!] }, { keys: [a0[0]!] }] }, /not in order/],
  'a key of the left neighbour again in a subtree': [
    { keys: [a1[0]!, b1[0]!], children: [undefined, { keys: [a0[0]!, c0[0]!] }, undefined] },
    /not in order/,
  ],
  'a key twice, on two sides of its parent': [
    { keys: [b1[0]!], children: [{ keys: [a0[0]!] }, { keys: [a0[0]!, c0[0]!] }] },
    /not in order/,
  ],
  'a key outside the range of its parent': [
    { keys: [b1[0]!], children: [{ keys: [a0[0]!, c0[0]!] }, undefined] },
    /not in order/,
  ],
  'one node in two places': [{ keys: [b1[0]!], children: [shared, shared] }, /in two places/],
  'a key too high for its node': [
    { keys: [b1[0]!], children: [{ keys: [a0[0]!, a1.find((key) => key > a0[0]!)!] }, undefined] },
    /layers 0 and 1/,
  ],
  'a flat tree': [{ keys: [a0[0]!, ...a1.filter((key) => key > a0[0]!), c0[0]!] }, /layers 0 and 1/],
  'a node on a layer too high': [
    { keys: [b2[0]!], children: [{ keys: [a0[0]!] }, undefined] },
    /layer 1 but has a key of layer 0/,
  ],
  'a node below one of lower layer': [
    { keys: [b1[0]!], children: [{ keys: [a2[0]!] }, undefined] },
    /layer 0 but has a key of layer 2/,
  ],
  'an extra node without keys': [
    { keys: [b1[0]!], children: [{ keys: [], children: [{ keys: [a0[0]!] }] }, undefined] },
    /below layer 0|layer -1/,
  ],
  'a top that was not trimmed': [{ keys: [], children: [sound] }, /the root has no keys/],
  'a top over an empty node': [{ keys: [], children: [{ keys: [] }] }, /the root has no keys/],
  'an empty leaf': [{ keys: [b1[0]!], children: [{ keys: [] }, undefined] }, /empty node/],
  'an empty chain': [{ keys: [b2[0]!], children: [{ keys: [], children: [{ keys: [] }] }, undefined] }, /empty node/],
  'a child below layer 0': [{ keys: [b0[0]!], children: [{ keys: [a0[0]!] }, undefined] }, /below layer 0/],
  'keys falling in a node': [{ keys: [b0[0]!, a0[0]!] }, /not a tree node/],
  'a key twice in a node': [{ keys: [a0[0]!, a0[0]!] }, /not a tree node/],
  'an invalid key': [{ keys: ['a/b/c'] }, /not collection\/rkey/],
  'a link to a record where a node should be': [
    { keys: [b1[0]!], children: [cidOf(0x71, map(['$type', byteString('x')])).bytes as CidBytes, undefined] },
    /not found/,
  ],
};

describe('reports', () => {
  test.each(Object.entries(shapes))('%s', async (_, [shape, message]) => {
    const { faults } = await verifyShape(shape);
    expect(faults.map((fault) => fault.message).join('\n')).toMatch(message);
    for (const fault of faults) {
      expect(fault.code).toMatch(/^(BlockNotFound|Malformed)$/);
      expect(fault.cid ?? fault.path).toBeDefined();
    }
  });

  test('a record where the root should be', async () => {
    const blocks = new BlocksInMemory();
    const bytes = map(['did', byteString('x')]);
    const cid = cidOf(0x71, bytes);
    blocks.put({ cid, bytes });
    expect((await verifyTree(blocks, cid)).faults).toMatchObject([{ code: 'Malformed', cid }]);
  });

  test('a prefix that is shorter than it could be', async () => {
    const blocks = new BlocksInMemory();
    const entries = [a0[0]!, a0[1]!].map((key) =>
      entry({ k: byteString(key), p: uint(0), t: NULL, v: link(valueOf(key)) }),
    );
    const bytes = map(['e', list(...entries)], ['l', NULL]);
    const cid = cidOf(0x71, bytes);
    blocks.put({ cid, bytes });
    expect((await verifyTree(blocks, cid)).faults).toMatchObject([
      { code: 'Malformed', message: expect.stringContaining('common prefix with the previous key') },
    ]);
  });

  test('a missing root', async () => {
    expect(await verifyTree(new BlocksInMemory(), EMPTY_ROOT)).toMatchObject({
      faults: [{ code: 'BlockNotFound', cid: EMPTY_ROOT }],
      nodes: 0,
    });
  });

  test('bytes that are not those of the CID', async () => {
    const blocks = new BlocksInMemory();
    const root = buildTree(blocks, [['a/1', valueOf('1')]]);
    blocks.blocks.set(cidToText(root), EMPTY_NODE_BYTES);
    expect(await verifyTree(blocks, root)).toMatchObject({
      faults: [{ code: 'Corrupt', cid: root }],
      nodes: 0,
      leaves: 0,
    });
  });

  test('each missing or replaced block by its CID only, and continues (seed 62)', async () => {
    const random = seeded(62);
    const blocks = new BlocksInMemory();
    const root = buildTree(
      blocks,
      manyKeys(300, random).map((key) => [key, valueOf(key)]),
    );
    const whole = await verifyTree(blocks, root);
    for (const [text, bytes] of [...blocks.blocks].slice(0, -1)) {
      blocks.blocks.delete(text);
      const missing = await verifyTree(blocks, root);
      expect(missing.faults).toMatchObject([{ code: 'BlockNotFound', message: expect.stringContaining(text) }]);
      blocks.blocks.set(
        text,
        Uint8Array.from(bytes, (byte, i) => (i === 9 ? byte ^ 1 : byte)),
      );
      const changed = await verifyTree(blocks, root);
      expect(changed.faults).toMatchObject([{ code: 'Corrupt', message: expect.stringContaining(text) }]);
      expect(changed.nodes).toBeLessThan(whole.nodes);
      blocks.blocks.set(text, bytes);
    }
    expect(whole.faults).toEqual([]);
  });

  test('every fault and not the first alone', async () => {
    const { faults, leaves } = await verifyShape({
      keys: [b1[0]!],
      children: [{ keys: [a1[0]!] }, { keys: [c0[0]!], children: [valueOf('gone'), undefined] }],
    });
    expect(faults.map(({ message }) => message.replace(/\..*/, ''))).toEqual([
      'the node is on layer 0 but has a key of layer 1',
      'a node is below layer 0',
    ]);
    expect(leaves).toBe(3);
  });
});

describe('is not overwhelmed by', () => {
  /** Without a limit these would take years. */
  const faulty = async (blocks: BlocksInMemory, root: CidBytes): Promise<TreeReport> => {
    const report = await verifyTree(blocks, decodeCid(root));
    expect(report.faults.length).toBeGreaterThan(0);
    expect(blocks.read).toBeLessThanOrEqual(blocks.blocks.size);
    return report;
  };

  test('2^40 paths through 41 nodes', async () => {
    const blocks = new BlocksInMemory();
    const keys = Array.from({ length: 41 }, (_, i) => `a/${String(i).padStart(3, '0')}`);
    let child: CidBytes | undefined;
    for (const key of keys) {
      child = writeShape({ keys: [key], children: [child, child] }, (block) => blocks.put(block));
    }
    await faulty(blocks, child!);
    expect(blocks.read).toBeLessThanOrEqual(41);
  });

  test('10^12 paths, ten from each node to each of the next ten', async () => {
    const blocks = new BlocksInMemory();
    let below: (CidBytes | undefined)[] = Array.from({ length: 11 }, () => undefined);
    for (let level = 0; level < 13; level++) {
      below = Array.from({ length: 11 }, (_, i) =>
        writeShape(
          { keys: Array.from({ length: 10 }, (_key, j) => `a/${level}-${i}-${j}`), children: below },
          (block) => blocks.put(block),
        ),
      );
    }
    const { nodes } = await faulty(blocks, below[0]!);
    expect(nodes).toBeLessThanOrEqual(blocks.blocks.size);
  });

  test('a chain of 100,000 nodes', async () => {
    const blocks = new BlocksInMemory();
    let child = writeShape({ keys: ['a/b'] }, (block) => blocks.put(block));
    for (let i = 0; i < 100_000; i++) {
      const bytes = concatBytes([EMPTY_NODE_BYTES.subarray(0, -1), link(child)]);
      const cid = cidOf(0x71, bytes);
      blocks.put({ cid, bytes });
      child = cid.bytes as CidBytes;
    }
    const { nodes, faults } = await faulty(blocks, child);
    expect(nodes).toBe(MAX_TREE_DEPTH);
    expect(faults.at(-1)!.message).toContain(`deeper than ${MAX_TREE_DEPTH}`);
  });

  test('a chain with keys that climb and climb', async () => {
    const blocks = new BlocksInMemory();
    let child: CidBytes | undefined;
    for (let i = 0; i < 2000; i++) {
      child = writeShape({ keys: [`a/${i}`], children: [child, undefined] }, (block) => blocks.put(block));
    }
    await faulty(blocks, child!);
    expect(blocks.read).toBeLessThanOrEqual(MAX_TREE_DEPTH);
  });

  test('more entries than a node may have', async () => {
    const blocks = new BlocksInMemory();
    const root = writeShape({ keys: keysOfLayer(0, MAX_NODE_ENTRIES + 1) }, (block) => blocks.put(block));
    await faulty(blocks, root);
  });

  test('keys that together would be too many for one node', async () => {
    const blocks = new BlocksInMemory();
    const [left, right] = ['b/', 'd/'].map((after) => ({ keys: keysOfLayer(0, 5000, after) }));
    const root = writeShape({ keys: [a1[0]!, c0[0]!], children: [undefined, left, right] }, (block) =>
      blocks.put(block),
    );
    const { faults, leaves } = await verifyTree(blocks, decodeCid(root));
    expect(faults.map(({ message }) => message)).toEqual([expect.stringContaining('layers 1 and 0')]);
    expect(leaves).toBe(10_002);
  });

  test('a full node and keys that need long chains, which are legal', async () => {
    const blocks = new BlocksInMemory();
    const full = buildTree(
      blocks,
      keysOfLayer(0, MAX_NODE_ENTRIES).map((key) => [key, valueOf('')]),
    );
    expect((await verifyTree(blocks, full)).faults).toEqual([]);
    const high = 'app.bsky.feed.post/9adeb165882c';
    expect(layerOf(high)).toBe(8);
    const lows = keysOfLayer(0, 100, 'app.bsky.feed.post/8').concat(keysOfLayer(0, 100, 'b/'));
    const tall = buildTree(
      blocks,
      [...lows, high].map((key) => [key, valueOf('')]),
    );
    expect(await verifyTree(blocks, tall)).toEqual({ faults: [], faultCount: 0, nodes: 17, leaves: 201 });
  });
});

describe('callbacks', () => {
  test('a failure of one is thrown', async () => {
    const failure = new Error('no');
    await expect(verifyShape(sound, { onLeaves: () => Promise.reject(failure) })).rejects.toBe(failure);
  });

  test('a signal ends the walk with its reason', async () => {
    const reason = new Error('enough');
    await expect(verifyShape(sound, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const blocks = new BlocksInMemory();
    const root = buildTree(
      blocks,
      manyKeys(3000, seeded(63)).map((key) => [key, valueOf('')]),
    );
    let batches = 0;
    const walk = verifyTree(blocks, root, {
      signal: controller.signal,
      onLeaves: async () => {
        batches += 1;
        controller.abort(reason);
      },
    });
    await expect(walk).rejects.toBe(reason);
    expect(batches).toBe(1);
  });

  test('a failed read is thrown, not reported as a missing block', async () => {
    const failure = new Error('the disk failed');
    const get = () => Promise.reject(failure);
    await expect(verifyTree({ get, getMany: get }, EMPTY_ROOT)).rejects.toBe(failure);
  });
});
