/** Inserting, removing, loading and sealing, against a plain `Map` and against trees built from scratch. */
import { describe, expect, test } from 'vitest';
import type { CID, CidBytes } from '../../../src/core/data/cid.ts';
import { cidBytesToText, cidToText, decodeCid } from '../../../src/core/data/cid.ts';
import { findLoaded } from '../../../src/core/mst/find.ts';
import { insert } from '../../../src/core/mst/insert.ts';
import { loadPaths } from '../../../src/core/mst/load.ts';
import type { Link } from '../../../src/core/mst/node.ts';
import { EMPTY_LINK, EMPTY_ROOT, MAX_NODE_ENTRIES, linkTo, newLink } from '../../../src/core/mst/node.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { remove } from '../../../src/core/mst/remove.ts';
import { seal } from '../../../src/core/mst/seal.ts';
import { seeded } from '../../random/seeded.ts';
import { BlocksInMemory, buildTree, manyKeys, valueOf } from './blocks-in-memory.ts';
import { keysOfLayer } from './raw-node.ts';

const rootText = (link: Link): string => cidBytesToText(seal(link).root);
const builtText = (map: ReadonlyMap<string, CidBytes>): string => cidToText(buildTree(new BlocksInMemory(), map));

test('an empty tree seals to the empty node', () => {
  expect(rootText(EMPTY_LINK)).toBe(EMPTY_ROOT.toString());
  expect(seal(EMPTY_LINK).blocks.length).toBe(1);
});

/** Keys on many layers, high ones among few low ones, so that there are gaps that nodes without keys have to bridge. */
const tallKeys = [0, 1, 2, 3, 4, 5].flatMap((layer) =>
  ['a/', 'b/', 'c/'].flatMap((after) => keysOfLayer(layer, layer < 2 ? 4 : 2, after)),
);
const editCases = [
  ['few keys of all layers', tallKeys, 800],
  ['as in a repository', manyKeys(150, seeded(31)), 800],
  ['a handful', tallKeys.filter((_, i) => i % 5 === 0), 800],
] as const;

describe.each(editCases)('%s', (_, keys, steps) => {
  test.each([1, 2])('every step is the tree built from scratch, and the one before stays (seed %i)', (seed) => {
    const random = seeded(seed);
    const map = new Map<string, CidBytes>();
    let tree = EMPTY_LINK;
    let text = rootText(tree);
    for (let step = 0; step < steps; step++) {
      const key = keys[Math.floor(random() * keys.length)]!;
      const before = tree;
      // Long phases of growing and of shrinking, down to the empty tree.
      if (random() < (step % 400 < 200 ? 0.7 : 0.2)) {
        const value = valueOf(`${Math.floor(random() * 3)}`);
        map.set(key, value);
        tree = insert(tree, key, value);
      } else {
        map.delete(key);
        tree = remove(tree, key);
      }
      expect(cidBytesToText(seal(before).root)).toBe(text);
      // Continue with sealed nodes half of the time.
      const sealed = seal(tree);
      tree = random() < 0.5 ? sealed.tree : tree;
      text = cidBytesToText(sealed.root);
      expect(text, `step ${step} of seed ${seed}`).toBe(builtText(map));
      expect(findLoaded(tree, key)).toEqual(map.get(key));
    }
  });
});

describe('an edit without effect returns the same tree', () => {
  const keys = manyKeys(100, seeded(32));
  const tree = keys.reduce((link, key) => insert(link, key, valueOf(key)), EMPTY_LINK);

  test('a value that is present', () => {
    for (const key of keys) {
      expect(insert(tree, key, valueOf(key))).toBe(tree);
    }
  });

  test('removing an absent key', () => {
    for (const key of keys) {
      expect(remove(tree, `${key}0`)).toBe(tree);
    }
    expect(remove(EMPTY_LINK, 'a/b')).toBe(EMPTY_LINK);
  });

  test('sealing twice', () => {
    const sealed = seal(tree);
    expect(seal(sealed.tree)).toEqual({ root: sealed.root, tree: sealed.tree, blocks: [], nodes: [] });
  });
});

test('sealing makes a block of each new node and no other', () => {
  const keys = manyKeys(3000, seeded(33));
  const before = seal(keys.reduce((link, key) => insert(link, key, valueOf(key)), EMPTY_LINK));
  const after = seal(insert(before.tree, `${keys[1500]!}0`, valueOf('new')));
  const old = new Set(before.blocks.map(({ cid }) => cidToText(cid)));
  expect(after.blocks.length).toBeLessThan(20);
  expect(after.blocks.filter(({ cid }) => old.has(cidToText(cid)))).toEqual([]);
  expect(cidToText(after.blocks.at(-1)!.cid)).toBe(cidBytesToText(after.root));
});

describe('with only the nodes next to the keys loaded', () => {
  interface Stored {
    readonly blocks: BlocksInMemory;
    readonly root: CID;
    readonly map: Map<string, CidBytes>;
  }
  const store = (keys: readonly string[]): Stored => {
    const blocks = new BlocksInMemory();
    const map = new Map(keys.map((key) => [key, valueOf(key)]));
    return { blocks, root: buildTree(blocks, map), map };
  };

  test.each([1, 2, 3, 4])('a batch in any order is the same as one by one (seed %i)', async (seed) => {
    const random = seeded(100 + seed);
    for (let round = 0; round < 20; round++) {
      const pool = round % 2 === 0 ? tallKeys : manyKeys(60 + Math.floor(random() * 600), random);
      const { blocks, root, map } = store(pool.filter(() => random() < 0.6));
      const chosen = pool.filter(() => random() < (round % 4 < 2 ? 0.05 : 0.4));
      let tree = await loadPaths(createNodeReader(blocks), linkTo(root), chosen);
      let single = linkTo(root);
      // Each key several times, so that edits apply to edited nodes.
      for (let edit = 0; edit < chosen.length * 3; edit++) {
        const key = chosen[Math.floor(random() * chosen.length)]!;
        const value = random() < 0.5 ? valueOf(`${edit}`) : undefined;
        const apply = (link: Link): Link => (value === undefined ? remove(link, key) : insert(link, key, value));
        if (value === undefined) {
          map.delete(key);
        } else {
          map.set(key, value);
        }
        tree = apply(tree);
        const sealed = seal(apply(await loadPaths(createNodeReader(blocks), single, [key])));
        blocks.put(...sealed.blocks);
        single = linkTo(decodeCid(sealed.root));
      }
      expect(rootText(tree), `round ${round} of seed ${seed}`).toBe(builtText(map));
      expect(rootText(single), `round ${round} of seed ${seed}`).toBe(builtText(map));
    }
  });

  test('one request per layer, and few nodes', async () => {
    const keys = manyKeys(5000, seeded(41));
    const { blocks, root } = store(keys);
    const tree = await loadPaths(createNodeReader(blocks), linkTo(root), [
      keys[77]!,
      keys[4000]!,
      `${keys[4000]!}0`,
      keys[77]!,
    ]);
    expect(blocks.requests).toBeLessThanOrEqual(tree.node!.layer + 1);
    expect(blocks.read).toBeLessThan(50);
  });

  test('a tree that is loaded is not read again, and not changed', async () => {
    const keys = manyKeys(500, seeded(42));
    const { blocks, root } = store(keys);
    const reader = createNodeReader(blocks, { capacity: 0 });
    const first = await loadPaths(reader, linkTo(root), [keys[10]!]);
    const copy = structuredClone(first);
    const read = blocks.read;
    await loadPaths(reader, first, [keys[10]!]);
    expect(blocks.read).toBe(read);
    const second = await loadPaths(reader, first, [keys[400]!]);
    expect(findLoaded(second, keys[10]!)).toEqual(valueOf(keys[10]!));
    expect(findLoaded(second, keys[400]!)).toEqual(valueOf(keys[400]!));
    expect(first).toEqual(copy);
  });

  test('a node that is not loaded is an error with its CID', async () => {
    const keys = manyKeys(500, seeded(43));
    const { blocks, root } = store(keys);
    const notLoaded = expect.objectContaining({ code: 'BlockNotFound', message: expect.stringContaining('cid=bafy') });
    expect(() => insert(linkTo(root), keys[0]!, valueOf('x'))).toThrow(notLoaded);
    const tree = await loadPaths(createNodeReader(blocks), linkTo(root), [keys[0]!]);
    const far = keys.findLast((key) => {
      try {
        findLoaded(tree, key);
        return false;
      } catch (error) {
        expect(error).toMatchObject({ code: 'BlockNotFound' });
        return true;
      }
    })!;
    expect(() => insert(tree, far, valueOf('x'))).toThrow(notLoaded);
    expect(() => remove(tree, far)).toThrow(notLoaded);
    expect(rootText(tree)).toBe(cidToText(root));
  });

  test('a missing block is an error that names it', async () => {
    const { blocks, root } = store(manyKeys(500, seeded(44)));
    blocks.blocks.delete(cidToText(root));
    await expect(loadPaths(createNodeReader(blocks), linkTo(root), ['a/b'])).rejects.toMatchObject({
      code: 'BlockNotFound',
    });
  });
});

describe('rejects', () => {
  test.each(['', 'a', 'a/b/c', 'a/ä', 'a/..'])('the key %j', (key) => {
    expect(() => insert(EMPTY_LINK, key, valueOf(''))).toThrow(expect.objectContaining({ code: 'Malformed' }));
  });

  test('one entry more than a node may have, by insert and by remove', () => {
    const keys = keysOfLayer(0, MAX_NODE_ENTRIES + 1);
    const values = keys.map(() => valueOf(''));
    const nodeOf = (from: number, to: number) =>
      newLink({
        layer: 0,
        keys: keys.slice(from, to),
        values: values.slice(from, to),
        children: Array.from({ length: to - from + 1 }),
      });
    const full = nodeOf(0, MAX_NODE_ENTRIES);
    const tooLarge = expect.objectContaining({ code: 'LimitExceeded' });
    expect(() => insert(full, keys[MAX_NODE_ENTRIES]!, values[0]!)).toThrow(tooLarge);
    expect(insert(full, keys[5]!, valueOf('other')).node!.keys.length).toBe(MAX_NODE_ENTRIES);
    // A key of layer 1 separates two halves that exceed the limit together.
    const middle = keysOfLayer(1, 50).find((key) => key > keys[20]!)!;
    const index = keys.findIndex((key) => key > middle);
    const apart = newLink({
      layer: 1,
      keys: [middle],
      values: [values[0]!],
      children: [nodeOf(0, index), nodeOf(index, keys.length)],
    });
    expect(() => remove(apart, middle)).toThrow(tooLarge);
    expect(apart.node!.keys).toEqual([middle]);
  });
});
