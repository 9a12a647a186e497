import { describe, expect, test } from 'vitest';
import type { CID } from '../../../src/core/data/cid.ts';
import { cidBytesToText, cidTextToBytes, cidToText, decodeCid, parseCid } from '../../../src/core/data/cid.ts';
import { findValue } from '../../../src/core/mst/find.ts';
import { insert } from '../../../src/core/mst/insert.ts';
import { loadPaths } from '../../../src/core/mst/load.ts';
import type { Link } from '../../../src/core/mst/node.ts';
import { linkTo } from '../../../src/core/mst/node.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { coveringProof, pathProof } from '../../../src/core/mst/proof.ts';
import { remove } from '../../../src/core/mst/remove.ts';
import { seal } from '../../../src/core/mst/seal.ts';
import type { Block } from '../../../src/core/blocks/block.ts';
import { vectorJson } from '../../vectors.ts';
import { seeded } from '../../random/seeded.ts';
import { BlocksInMemory, buildTree, manyKeys, valueOf } from './blocks-in-memory.ts';

const only = (proof: readonly Block[]): BlocksInMemory => {
  const blocks = new BlocksInMemory();
  blocks.put(...proof);
  return blocks;
};

const blocks = new BlocksInMemory();
const keys = manyKeys(800, seeded(71));
const root = buildTree(
  blocks,
  keys.map((key) => [key, valueOf(key)]),
);
const reader = createNodeReader(blocks);

describe('a path proof', () => {
  test('proves the value of a key, and is minimal', async () => {
    for (const key of keys) {
      const proof = await pathProof(reader, root, [key]);
      expect((await findValue(createNodeReader(only(proof)), root, key))?.toString()).toBe(
        cidBytesToText(valueOf(key)),
      );
      const short = proof.slice(0, -1);
      await expect(findValue(createNodeReader(only(short)), root, key)).rejects.toMatchObject({
        code: 'BlockNotFound',
      });
    }
  });

  test('proves the absence of a key', async () => {
    for (const key of keys.slice(0, 100)) {
      const proof = only(await pathProof(reader, root, [`${key}0`]));
      expect(await findValue(createNodeReader(proof), root, `${key}0`)).toBe(undefined);
    }
  });

  test('of many keys has each node once, parents first, and the bytes that were stored', async () => {
    const proof = await pathProof(reader, root, keys.slice(10, 40));
    const names = proof.map(({ cid }) => cidToText(cid));
    expect(new Set(names).size).toBe(names.length);
    expect(names[0]).toBe(cidToText(root));
    expect(proof.every(({ cid, bytes }) => Buffer.from(bytes).equals(blocks.blocks.get(cidToText(cid))!))).toBe(true);
  });
});

describe('a covering proof', () => {
  test('is enough to undo any change of its keys (seed 72)', async () => {
    const random = seeded(72);
    for (let round = 0; round < 30; round++) {
      const changed = keys.filter(() => random() < 0.01).map((key) => (random() < 0.4 ? `${key}0` : key));
      let tree: Link = await loadPaths(reader, linkTo(root), changed);
      const undo: ((link: Link) => Link)[] = [];
      for (const key of changed) {
        const was = key.endsWith('0') && !keys.includes(key) ? undefined : valueOf(key);
        const drop = was !== undefined && random() < 0.5;
        tree = drop ? remove(tree, key) : insert(tree, key, valueOf('new'));
        undo.push((link) => (was === undefined ? remove(link, key) : insert(link, key, was)));
      }
      const { root: after, blocks: made } = seal(tree);
      const store = new BlocksInMemory();
      for (const [text, bytes] of blocks.blocks) {
        store.blocks.set(text, bytes);
      }
      store.put(...made);
      const proof = only(await coveringProof(createNodeReader(store), decodeCid(after), changed));
      let back: Link = await loadPaths(createNodeReader(proof), linkTo(decodeCid(after)), changed);
      for (const step of undo.reverse()) {
        back = step(back);
      }
      expect(cidBytesToText(seal(back).root)).toBe(cidToText(root));
    }
  });
});

describe('interop/firehose/commit-proof-fixtures.json', () => {
  interface Case {
    readonly comment: string;
    readonly leafValue: string;
    readonly keys: readonly string[];
    readonly adds: readonly string[];
    readonly dels: readonly string[];
    readonly rootBeforeCommit: string;
    readonly rootAfterCommit: string;
    readonly blocksInProof: readonly string[];
  }
  const cases = vectorJson<Case[]>('interop/firehose/commit-proof-fixtures.json');

  test.each(cases.map((example) => [example.comment, example] as const))('%s', async (_, example) => {
    const value = cidTextToBytes(example.leafValue)!;
    const store = new BlocksInMemory();
    const before = buildTree(
      store,
      example.keys.map((key) => [key, value]),
    );
    expect(before.toString()).toBe(example.rootBeforeCommit);

    const changed = [...example.adds, ...example.dels];
    let tree = await loadPaths(createNodeReader(store), linkTo(before), changed);
    tree = example.adds.reduce((link, key) => insert(link, key, value), tree);
    tree = example.dels.reduce((link, key) => remove(link, key), tree);
    const sealed = seal(tree);
    expect(cidBytesToText(sealed.root)).toBe(example.rootAfterCommit);

    store.put(...sealed.blocks);
    const after: CID = parseCid(example.rootAfterCommit);
    const proof = await coveringProof(createNodeReader(store), after, changed);
    expect(proof.map(({ cid }) => cidToText(cid)).sort()).toEqual([...example.blocksInProof].sort());
  });
});
