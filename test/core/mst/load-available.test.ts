/** Partial trees from others, and changes that are undone in them. */
import { describe, expect, test } from 'vitest';
import { cidBytesToText, cidOf, cidToText, decodeCid } from '../../../src/core/data/cid.ts';
import type { CID, CidBytes } from '../../../src/core/data/cid.ts';
import { encodeNode } from '../../../src/core/mst/codec.ts';
import { findAtLayer } from '../../../src/core/mst/find.ts';
import { insert } from '../../../src/core/mst/insert.ts';
import { invert } from '../../../src/core/mst/invert.ts';
import { loadAvailable } from '../../../src/core/mst/load-available.ts';
import { loadPaths } from '../../../src/core/mst/load.ts';
import type { NodeContent } from '../../../src/core/mst/node.ts';
import { EMPTY_NODE_BYTES, EMPTY_ROOT, linkTo } from '../../../src/core/mst/node.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { coveringProof } from '../../../src/core/mst/proof.ts';
import { remove } from '../../../src/core/mst/remove.ts';
import { seal } from '../../../src/core/mst/seal.ts';
import { layerOf } from '../../../src/core/mst/key.ts';
import { seeded } from '../../random/seeded.ts';
import { BlocksInMemory, buildTree, manyKeys, valueOf } from './blocks-in-memory.ts';

const blocks = new BlocksInMemory();
const keys = manyKeys(600, seeded(91));
const root = buildTree(
  blocks,
  keys.map((key) => [key, valueOf(key)]),
);
const value = valueOf('any');

/** Keys of one layer, in order. */
const keysOn = (layer: number, count: number): string[] => {
  const found: string[] = [];
  for (let i = 0; found.length < count; i++) {
    const key = `com.example.note/${i.toString().padStart(6, '0')}`;
    if (layerOf(key) === layer) {
      found.push(key);
    }
  }
  return found;
};

const put = (into: BlocksInMemory, content: NodeContent): CID => {
  const bytes = encodeNode(content);
  const cid = cidOf(0x71, bytes);
  into.put({ cid, bytes });
  return cid;
};
const link = (cid: CID | undefined) => cid && { cid: cid.bytes as CidBytes, node: undefined };
const leaf = (into: BlocksInMemory, ...of: readonly string[]): CID =>
  put(into, { keys: of, values: of.map(() => value), children: [undefined, ...of.map(() => undefined)] });

describe('a partial tree', () => {
  test('has every node whose block is present, and no other', async () => {
    const random = seeded(92);
    const some = new BlocksInMemory();
    for (const [name, bytes] of blocks.blocks) {
      if (name === cidToText(root) || random() < 0.7) {
        some.blocks.set(name, bytes);
      }
    }
    const tree = await loadAvailable(some, root);
    let found = 0;
    let unknown = 0;
    for (const key of keys) {
      try {
        expect(cidBytesToText(findAtLayer(tree, key)!)).toBe(cidBytesToText(valueOf(key)));
        found += 1;
      } catch (error) {
        expect(error).toMatchObject({ code: 'BlockNotFound' });
        unknown += 1;
      }
    }
    expect(found).toBeGreaterThan(100);
    expect(unknown).toBeGreaterThan(100);
  });

  test('of no blocks has a root that is not loaded', async () => {
    const tree = await loadAvailable(new BlocksInMemory(), root);
    expect(tree.node).toBe(undefined);
    expect(() => findAtLayer(tree, keys[0]!)).toThrow(expect.objectContaining({ code: 'BlockNotFound' }));
  });

  test('may be the empty one', async () => {
    const empty = new BlocksInMemory();
    empty.put({ cid: EMPTY_ROOT, bytes: EMPTY_NODE_BYTES });
    expect(findAtLayer(await loadAvailable(empty, EMPTY_ROOT), keys[0]!)).toBe(undefined);
  });

  const [a, b, c, d] = keysOn(0, 4) as [string, string, string, string];
  const [high, higher] = keysOn(1, 2) as [string, string];
  const before = a < high ? a : undefined;
  const hostile: Readonly<Record<string, (into: BlocksInMemory) => CID>> = {
    'a root without keys over a node': (into) =>
      put(into, { keys: [], values: [], children: [link(leaf(into, a, b))] }),
    'a root without keys over a missing node': (into) => put(into, { keys: [], values: [], children: [link(root)] }),
    'a key of another layer in a node': (into) => leaf(into, ...[c, high].sort()),
    'a key that is not below that of the parent': (into) =>
      put(into, {
        keys: [high],
        values: [value],
        children: [link(leaf(into, keysOn(0, 999).find((key) => key > high)!)), undefined],
      }),
    'a key that is not above that of the parent': (into) =>
      put(into, { keys: [higher], values: [value], children: [undefined, link(leaf(into, before ?? a))] }),
    'one node in two places': (into) => {
      const twice = link(leaf(into, keysOn(0, 999).find((key) => key > high && key < higher)!));
      return put(into, { keys: [high, higher], values: [value, value], children: [undefined, twice, twice] });
    },
    'an empty node below another': (into) => {
      into.put({ cid: EMPTY_ROOT, bytes: EMPTY_NODE_BYTES });
      return put(into, { keys: [high], values: [value], children: [link(EMPTY_ROOT), undefined] });
    },
    'a node below layer 0': (into) =>
      put(into, { keys: [d], values: [value], children: [link(leaf(into, a)), undefined] }),
  };
  test.each(Object.keys(hostile))('is refused with %s', async (name) => {
    const into = new BlocksInMemory();
    await expect(loadAvailable(into, hostile[name]!(into))).rejects.toMatchObject({ code: 'Malformed' });
  });

  test('is refused when the bytes of a node are not those of its CID', async () => {
    const into = new BlocksInMemory();
    into.blocks.set(cidToText(root), leafBytes(a));
    await expect(loadAvailable(into, root)).rejects.toMatchObject({ code: 'Corrupt' });
  });
});

const leafBytes = (key: string) => encodeNode({ keys: [key], values: [value], children: [undefined, undefined] });

describe('invert', () => {
  const change = async (dropped: readonly string[], added: readonly string[]) => {
    let tree = await loadPaths(createNodeReader(blocks), linkTo(root), [...dropped, ...added]);
    dropped.forEach((key) => (tree = remove(tree, key)));
    added.forEach((key) => (tree = insert(tree, key, value)));
    const { root: after, blocks: made } = seal(tree);
    const store = new BlocksInMemory();
    blocks.blocks.forEach((bytes, name) => store.blocks.set(name, bytes));
    store.put(...made);
    const changes = [
      ...dropped.map((key) => ({ key, from: valueOf(key), to: undefined })),
      ...added.map((key) => ({ key, from: undefined, to: value })),
    ];
    const proof = await coveringProof(
      createNodeReader(store),
      decodeCid(after),
      changes.map(({ key }) => key),
    );
    return { after: decodeCid(after), changes, proof };
  };

  test('leads back over the covering proof alone (seed 93)', async () => {
    const random = seeded(93);
    for (let round = 0; round < 40; round++) {
      const picked = keys.filter(() => random() < 0.01);
      const { after, changes, proof } = await change(
        picked.filter((_, i) => i % 2 === 0),
        picked.filter((_, i) => i % 2 === 1).map((key) => `${key}0`),
      );
      const some = new BlocksInMemory();
      some.put(...proof);
      const tree = await loadAvailable(some, after);
      expect(cidBytesToText(seal(invert(tree, changes)).root)).toBe(cidToText(root));
    }
  });

  test('fails where a change is not what the tree holds, and where a node is missing', async () => {
    const { after, changes, proof } = await change([keys[10]!], [`${keys[20]!}0`]);
    const some = new BlocksInMemory();
    some.put(...proof);
    const tree = await loadAvailable(some, after);
    const [dropped, added] = changes as [(typeof changes)[0], (typeof changes)[0]];
    const wrong = [
      [dropped, { ...added, to: valueOf('other') }],
      [{ ...dropped, to: valueOf(keys[10]!) }, added],
      [dropped, { ...added, from: value, to: undefined }],
      [dropped, added, added],
      [dropped, { ...added, key: 'no key' }],
    ];
    for (const changed of wrong) {
      expect(() => invert(tree, changed)).toThrow(expect.objectContaining({ code: 'Malformed' }));
    }
    const less = new BlocksInMemory();
    less.put(...proof.slice(0, 1));
    const partial = await loadAvailable(less, after);
    expect(() => invert(partial, changes)).toThrow(expect.objectContaining({ code: 'BlockNotFound' }));
    // Fewer changes, or another value of before, lead to another root.
    for (const changed of [[dropped], [added], [{ ...dropped, from: value }, added]]) {
      expect(cidBytesToText(seal(invert(tree, changed)).root)).not.toBe(cidToText(root));
    }
  });
});
