import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/core/data/bytes.ts';
import type { CidBytes } from '../../../src/core/data/cid.ts';
import { cidBytesToText, cidToText } from '../../../src/core/data/cid.ts';
import { findValue, findValues } from '../../../src/core/mst/find.ts';
import { EMPTY_NODE, EMPTY_NODE_BYTES, EMPTY_ROOT } from '../../../src/core/mst/node.ts';
import { CacheBudget, CidCache } from '../../../src/core/blocks/cid-cache.ts';
import type { Node } from '../../../src/core/mst/node.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { subtreeAt } from '../../../src/core/mst/read-nodes.ts';
import { seeded } from '../../random/seeded.ts';
import { BlocksInMemory, buildTree, manyKeys, valueOf } from './blocks-in-memory.ts';
import { keysOfLayer, writeShape } from './raw-node.ts';

const bytesOf = (cid: { bytes: Uint8Array }): CidBytes => cid.bytes as CidBytes;

/** Stores a tree of one key for each key, and returns the roots. */
const rootsOf = (blocks: BlocksInMemory, keys: readonly string[]): CidBytes[] =>
  keys.map((key) => bytesOf(buildTree(blocks, [[key, valueOf(key)]])));

test('reads a node once, and again when it has been pushed out', async () => {
  const blocks = new BlocksInMemory();
  const [a, b, c] = rootsOf(blocks, keysOfLayer(1, 3)) as [CidBytes, CidBytes, CidBytes];
  const reader = createNodeReader(blocks, { capacity: 2 });
  expect((await reader.node(a)).keys).toEqual(keysOfLayer(1, 1));
  await reader.node(b);
  expect(await reader.node(a)).toBe(await reader.node(a));
  expect(blocks.read).toBe(2);
  // The least recently used node is evicted: b.
  await reader.node(c);
  await reader.node(a);
  expect(blocks.read).toBe(3);
  await reader.node(b);
  expect(blocks.read).toBe(4);
});

describe('blocks of the lowest layer', () => {
  test('stay in memory longer than their decoded nodes, if they were read one by one', async () => {
    const blocks = new BlocksInMemory();
    const roots = rootsOf(blocks, keysOfLayer(0, 12));
    const reader = createNodeReader(blocks, { capacity: 2 });
    const first = await reader.node(roots[0]!);
    for (const root of roots) {
      await reader.node(root);
    }
    expect(blocks.read).toBe(12);
    const again = reader.cached(roots[0]!, 0);
    expect(again).toEqual(first);
    expect(again).not.toBe(first);
    expect(reader.cached(roots[0]!, 0)).toBe(again);
    expect(reader.cached(roots[0]!, 1)).toBe(undefined);
    reader.clear();
    expect(reader.cached(roots[0]!, 0)).toBe(undefined);
  });

  test('are not kept by a read of many nodes', async () => {
    const blocks = new BlocksInMemory();
    const roots = rootsOf(blocks, keysOfLayer(0, 12));
    const reader = createNodeReader(blocks, { capacity: 2 });
    await reader.nodes(roots.map((subtree) => ({ subtree, layer: 0 })));
    expect(reader.cached(roots[0]!, 0)).toBe(undefined);
  });

  test('are not kept as views of a larger buffer', async () => {
    const blocks = new BlocksInMemory();
    const [root] = rootsOf(blocks, keysOfLayer(0, 1)) as [CidBytes];
    const large = new Uint8Array(1 << 16);
    const [stored] = await blocks.getMany([root]);
    large.set(stored!, 100);
    const views = { getMany: async () => [large.subarray(100, 100 + stored!.length)], get: async () => undefined };
    const reader = createNodeReader(views, { capacity: 2 });
    const node = await reader.node(root);
    large.fill(0);
    await reader.nodes([{ subtree: root, layer: 0 }]);
    expect(reader.cached(root, 0)).toEqual(node);
  });
});

test('a walk over the lowest layer evicts no node above it', async () => {
  const blocks = new BlocksInMemory();
  const above = bytesOf(buildTree(blocks, [[keysOfLayer(1, 1)[0]!, valueOf('1')]]));
  const reader = createNodeReader(blocks, { capacity: 2 });
  await reader.node(above);
  for (const key of keysOfLayer(0, 20)) {
    await reader.node(bytesOf(buildTree(blocks, [[key, valueOf(key)]])));
  }
  expect(reader.cached(above, 1)?.layer).toBe(1);
  expect(reader.cached(above, 2)).toBe(undefined);
});

test('CIDs that share a place in the cache are never taken for each other', async () => {
  const cid = (last: number): CidBytes => {
    const bytes = valueOf('one').slice();
    bytes[35] = last;
    return bytes as CidBytes;
  };
  const cache = new CidCache<Node>(4, new CacheBudget(Number.POSITIVE_INFINITY));
  cache.set(cid(1), EMPTY_NODE, 1);
  expect(cache.get(cid(2))).toBe(undefined);
  expect(cache.get(cid(1))).toBe(EMPTY_NODE);
  const other = { ...EMPTY_NODE };
  cache.set(cid(2), other, 1);
  expect([cache.get(cid(1)), cache.get(cid(2))]).toEqual([undefined, other]);
});

test('returns many nodes in order with one request, repeats included', async () => {
  const blocks = new BlocksInMemory();
  const keys = ['a/1', 'a/2', 'a/3', 'a/2'];
  const subtrees = keys.map((key) => ({
    subtree: bytesOf(buildTree(blocks, [[key, valueOf(key)]])),
    layer: undefined,
  }));
  const reader = createNodeReader(blocks);
  await reader.node(subtrees[2]!.subtree);
  blocks.requests = 0;
  expect((await reader.nodes(subtrees)).map((node) => node.keys[0])).toEqual(keys);
  expect(blocks.requests).toBe(1);
  expect(await reader.nodes([])).toEqual([]);
  expect(blocks.requests).toBe(1);
});

test('reads the empty tree', async () => {
  const blocks = new BlocksInMemory();
  blocks.put({ cid: EMPTY_ROOT, bytes: EMPTY_NODE_BYTES });
  expect(await createNodeReader(blocks).node(bytesOf(EMPTY_ROOT))).toEqual(EMPTY_NODE);
});

describe('rejects', () => {
  test('a missing block', async () => {
    const reader = createNodeReader(new BlocksInMemory());
    await expect(reader.node(bytesOf(EMPTY_ROOT))).rejects.toMatchObject({
      code: 'BlockNotFound',
      message: expect.stringContaining(EMPTY_ROOT.toString()),
    });
  });

  test('bytes of another block, also good ones', async () => {
    const blocks = new BlocksInMemory();
    const root = buildTree(blocks, [['a/1', valueOf('1')]]);
    blocks.blocks.set(cidToText(root), EMPTY_NODE_BYTES);
    await expect(createNodeReader(blocks).node(bytesOf(root))).rejects.toMatchObject({ code: 'Corrupt' });
  });

  test('a block that is not a node, with its CID', async () => {
    const blocks = new BlocksInMemory();
    const cid = writeShape({ keys: ['b/1', 'a/1'] }, (block) => blocks.put(block));
    await expect(createNodeReader(blocks).node(cid)).rejects.toMatchObject({
      code: 'Malformed',
      message: expect.stringMatching(/not in order.*cid=bafy/),
      cause: { code: 'Malformed' },
    });
  });

  test('a node on a layer that is not its own, from the store and from the cache', async () => {
    const blocks = new BlocksInMemory();
    const root = bytesOf(buildTree(blocks, [[keysOfLayer(1, 1)[0]!, valueOf('1')]]));
    const reader = createNodeReader(blocks);
    await expect(reader.node(root, 2)).rejects.toMatchObject({ code: 'Malformed' });
    expect((await reader.node(root, 1)).layer).toBe(1);
    await expect(reader.node(root, 2)).rejects.toMatchObject({ code: 'Malformed' });
  });

  test('a root without keys, when its child contradicts it', async () => {
    const blocks = new BlocksInMemory();
    const key = keysOfLayer(0, 1)[0]!;
    const root = writeShape({ keys: [], children: [{ keys: [key] }] }, (block) => blocks.put(block));
    const reader = createNodeReader(blocks);
    const node = await reader.node(root);
    await expect(reader.nodes([subtreeAt(node, 0)!])).rejects.toMatchObject({ code: 'Malformed' });
    // With the layer from its parent, it is valid.
    expect((await reader.node(root, 1)).layer).toBe(1);
    expect((await reader.node(root, 1)).layer).toBe(1);
  });
});

test('a failure to read is not a missing block', async () => {
  const failure = new Error('the disk failed');
  const reader = createNodeReader({
    get: () => Promise.reject(failure),
    getMany: (): Promise<(Bytes | undefined)[]> => Promise.reject(failure),
  });
  await expect(reader.node(bytesOf(EMPTY_ROOT))).rejects.toBe(failure);
});

describe('find', () => {
  const blocks = new BlocksInMemory();
  const keys = manyKeys(2000, seeded(21));
  const root = buildTree(
    blocks,
    keys.map((key) => [key, valueOf(key)]),
  );

  test('finds every key and nothing between them', async () => {
    const reader = createNodeReader(blocks);
    for (const key of keys) {
      expect((await findValue(reader, root, key))?.toString()).toBe(cidBytesToText(valueOf(key)));
      expect(await findValue(reader, root, `${key}0`)).toBe(undefined);
    }
    expect(await findValue(reader, root, '')).toBe(undefined);
    expect(await findValue(reader, root, '~')).toBe(undefined);
  });

  test('finds many with one request per layer, in order', async () => {
    const asked = [keys[1500]!, 'a/no', keys[3]!, keys[1500]!, '~/no', keys[0]!];
    blocks.requests = 0;
    const found = await findValues(createNodeReader(blocks), root, asked);
    expect(found.map((cid) => cid?.bytes)).toEqual(
      asked.map((key) => (key.endsWith('/no') ? undefined : valueOf(key))),
    );
    const { layer } = await createNodeReader(blocks).node(bytesOf(root));
    expect(blocks.requests).toBeLessThanOrEqual(layer + 2);
  });

  test('none in the empty tree', async () => {
    const empty = new BlocksInMemory();
    empty.put({ cid: EMPTY_ROOT, bytes: EMPTY_NODE_BYTES });
    expect(await findValue(createNodeReader(empty), EMPTY_ROOT, 'a/b')).toBe(undefined);
    expect(await findValues(createNodeReader(empty), EMPTY_ROOT, ['a/b'])).toEqual([undefined]);
  });
});
