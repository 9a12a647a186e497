import { describe, expect, test } from 'vitest';
import type { CID, CidBytes } from '../../../src/core/data/cid.ts';
import { cidBytesToText, cidToText } from '../../../src/core/data/cid.ts';
import { diffNodes, diffTrees } from '../../../src/core/mst/diff.ts';
import { EMPTY_NODE_BYTES, EMPTY_ROOT } from '../../../src/core/mst/node.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { walkPreorder } from '../../../src/core/mst/preorder.ts';
import { seeded } from '../../random/seeded.ts';
import { BlocksInMemory, buildTree, flatten, manyKeys, valueOf } from './blocks-in-memory.ts';
import { keysOfLayer } from './raw-node.ts';

type Records = ReadonlyMap<string, CidBytes>;

const text = (cid: CidBytes | undefined): string => (cid === undefined ? '-' : cidBytesToText(cid));

const expectedChanges = (from: Records, to: Records): string[] =>
  [...new Set([...from.keys(), ...to.keys()])]
    .sort()
    .map((key) => [key, text(from.get(key)), text(to.get(key))] as const)
    .filter(([, a, b]) => a !== b)
    .map((change) => change.join(' '));

const changes = async (
  blocks: BlocksInMemory,
  from: CID | undefined,
  to: CID | undefined,
  prefix?: string,
): Promise<string[]> => {
  const found: string[] = [];
  for await (const change of diffTrees(createNodeReader(blocks), from, to, { prefix })) {
    found.push(`${change.key} ${text(change.from)} ${text(change.to)}`);
  }
  return found;
};

const nodesOf = async (blocks: BlocksInMemory, root: CID | undefined): Promise<Set<string>> => {
  const steps = root === undefined ? [] : await flatten(walkPreorder(blocks, root));
  return new Set(steps.flatMap((step) => ('bytes' in step ? [cidToText(step.cid)] : [])));
};

const expectNodes = async (blocks: BlocksInMemory, from: CID | undefined, to: CID | undefined): Promise<void> => {
  const [before, after] = [await nodesOf(blocks, from), await nodesOf(blocks, to)];
  const { created, deleted } = await diffNodes(createNodeReader(blocks), from, to);
  expect(created.map(text).sort()).toEqual([...after].filter((cid) => !before.has(cid)).sort());
  expect(deleted.map(text).sort()).toEqual([...before].filter((cid) => !after.has(cid)).sort());
};

describe('random pairs of trees', () => {
  const tall = [0, 1, 2, 3, 4].flatMap((layer) => ['a/', 'b/'].flatMap((after) => keysOfLayer(layer, 3, after)));
  test.each([1, 2, 3])('are compared like maps, and their nodes exactly (seed %i)', async (seed) => {
    const random = seeded(200 + seed);
    const blocks = new BlocksInMemory();
    for (let round = 0; round < 40; round++) {
      const pool = round % 2 === 0 ? tall : manyKeys(20 + Math.floor(random() * 400), random);
      const from = new Map(pool.filter(() => random() < 0.7).map((key) => [key, valueOf(key)]));
      const to = new Map(from);
      const rate = [0.02, 0.3, 1][round % 3]!;
      for (const key of pool) {
        if (random() < rate) {
          random() < 0.4 ? to.delete(key) : to.set(key, valueOf(`${key}${Math.floor(random() * 2)}`));
        }
      }
      const [a, b] = [buildTree(blocks, from), buildTree(blocks, to)];
      expect(await changes(blocks, a, b)).toEqual(expectedChanges(from, to));
      expect(await changes(blocks, b, a)).toEqual(expectedChanges(to, from));
      const one = pool[Math.floor(random() * pool.length)]!;
      for (const prefix of [
        one,
        one.slice(0, -2),
        one.slice(0, one.indexOf('/') + 1),
        one.slice(0, 5),
        'a',
        'zz',
        '\u{7ff}',
      ]) {
        const expected = expectedChanges(from, to).filter((change) => change.startsWith(prefix));
        expect(await changes(blocks, a, b, prefix)).toEqual(expected);
      }
      await expectNodes(blocks, a, b);
    }
  });
});

describe('a large tree', () => {
  const blocks = new BlocksInMemory();
  const random = seeded(210);
  const keys = manyKeys(6000, random);
  const from = new Map(keys.map((key) => [key, valueOf('one')]));
  const root = buildTree(blocks, from);

  test('against itself reads nothing', async () => {
    blocks.read = 0;
    expect(await changes(blocks, root, root)).toEqual([]);
    expect(blocks.read).toBe(0);
  });

  test('with a few changes reads their paths, once on each side', async () => {
    const to = new Map(from);
    to.delete(keys[100]!);
    to.set(keys[3000]!, valueOf('two'));
    to.set(`${keys[5900]!}0`, valueOf('three'));
    const other = buildTree(blocks, to);
    blocks.read = 0;
    expect(await changes(blocks, root, other)).toEqual(expectedChanges(from, to));
    expect(blocks.read).toBeLessThan(100);
    await expectNodes(blocks, root, other);
  });

  test('with many changes is split, in order and exact', async () => {
    const to = new Map(from);
    for (const key of keys) {
      if (random() < 0.3) {
        random() < 0.5 ? to.delete(key) : to.set(`${key}0`, valueOf('two'));
      }
    }
    const other = buildTree(blocks, to);
    let most = 0;
    const counted = createNodeReader({
      get: (cid) => blocks.get(cid),
      getMany: (cids) => {
        most = Math.max(most, cids.length);
        return blocks.getMany(cids);
      },
    });
    const found: string[] = [];
    for await (const { key } of diffTrees(counted, root, other)) {
      found.push(key);
    }
    expect(found).toEqual(expectedChanges(from, to).map((change) => change.split(' ')[0]));
    expect(most).toBeLessThanOrEqual(256);
    await expectNodes(blocks, root, other);
  });

  test('against the empty tree starts before the whole tree is read', async () => {
    const expected = keys.map((key) => `${key} - ${text(valueOf('one'))}`);
    expect(await changes(blocks, undefined, root)).toEqual(expected);
    blocks.read = 0;
    const first = await diffTrees(createNodeReader(blocks), undefined, root).next();
    expect(first.value).toMatchObject({ key: keys[0], from: undefined });
    expect(blocks.read).toBeLessThan(1000);
    await expectNodes(blocks, undefined, root);
  });

  test('against one of other keys altogether', async () => {
    const others = new Map(manyKeys(3000, seeded(211)).map((key) => [key.replace('app.', 'com.'), valueOf('other')]));
    const other = buildTree(blocks, others);
    expect(await changes(blocks, root, other)).toEqual(expectedChanges(from, others));
    expect(await changes(blocks, other, root)).toEqual(expectedChanges(others, from));
  });
});

describe('two trees of 20,000 records with a prefix', () => {
  const blocks = new BlocksInMemory();
  const keys = manyKeys(20_000, seeded(212));
  const from = new Map(keys.map((key) => [key, valueOf('one')]));
  const isLike = (key: string): boolean => key.startsWith('app.bsky.feed.like/');
  const to = new Map(keys.map((key) => [key, valueOf(isLike(key) ? 'two' : 'one')]));
  const [a, b] = [buildTree(blocks, from), buildTree(blocks, to)];
  const read = async (prefix?: string): Promise<{ readonly changes: number; readonly nodes: number }> => {
    blocks.read = 0;
    return { changes: (await changes(blocks, a, b, prefix)).length, nodes: blocks.read };
  };

  test('reads few nodes where nothing has changed under it', async () => {
    const all = await read();
    expect(all.changes).toBe(keys.filter(isLike).length);
    expect(all.nodes).toBeGreaterThan(2000);
    for (const prefix of ['app.bsky.graph.', 'app.bsky.feed.post/', 'app.bsky.feed.post/3k1', 'com.']) {
      const { changes: found, nodes } = await read(prefix);
      expect(found, prefix).toBe(0);
      expect(nodes, prefix).toBeLessThan(30);
    }
  });

  test('reads the nodes of one record', async () => {
    const { changes: found, nodes } = await read(keys.find(isLike));
    expect(found).toBe(1);
    expect(nodes).toBeLessThan(30);
  });
});

describe('the empty tree', () => {
  const blocks = new BlocksInMemory();
  blocks.put({ cid: EMPTY_ROOT, bytes: EMPTY_NODE_BYTES });
  const root = buildTree(blocks, [['a/1', valueOf('1')]]);

  test('holds no key', async () => {
    expect(await changes(blocks, EMPTY_ROOT, root)).toEqual([`a/1 - ${text(valueOf('1'))}`]);
    expect(await changes(blocks, root, EMPTY_ROOT)).toEqual([`a/1 ${text(valueOf('1'))} -`]);
    expect(await changes(blocks, undefined, EMPTY_ROOT)).toEqual([]);
    expect(await changes(blocks, undefined, undefined)).toEqual([]);
  });

  test('is also a node', async () => {
    await expectNodes(blocks, EMPTY_ROOT, root);
    await expectNodes(blocks, undefined, EMPTY_ROOT);
  });
});

test('a missing node is an error', async () => {
  const blocks = new BlocksInMemory();
  const root = buildTree(blocks, [['a/1', valueOf('1')]]);
  await expect(changes(blocks, EMPTY_ROOT, root)).rejects.toMatchObject({ code: 'BlockNotFound' });
});
