/** Trees without a repository, with only the exports of `pdsdb`. */
import { describe, expect, test } from 'vitest';
import type { Block, CID, Link, NodeReader } from '../../../src/index.ts';
import {
  CODEC_DAG_CBOR,
  EMPTY_LINK,
  EMPTY_ROOT,
  MemoryBlockStore,
  cidOf,
  coveringProof,
  createNodeReader,
  createTreeBuilder,
  decodeCid,
  diffNodes,
  diffTrees,
  findLoaded,
  findValue,
  findValues,
  insert,
  isTreeKey,
  layerOf,
  linkTo,
  loadPaths,
  pathProof,
  remove,
  seal,
  verifyTree,
  walkLeaves,
} from '../../../src/index.ts';

const KEYS = Array.from({ length: 300 }, (_, i) => `com.example.note/${String(i).padStart(4, '0')}`);
const record = (text: string): CID => cidOf(CODEC_DAG_CBOR, new TextEncoder().encode(text));

const storeOf = async (blocks: readonly Block[]): Promise<MemoryBlockStore> => {
  const store = new MemoryBlockStore();
  await store.transact((change) => change.put(blocks));
  return store;
};

/** A tree of all the keys, in a store. */
const plant = async (): Promise<{ store: MemoryBlockStore; reader: NodeReader; root: CID }> => {
  const tree = KEYS.reduce<Link>((link, key) => insert(link, key, record(key).bytes), EMPTY_LINK);
  const { root, blocks } = seal(tree);
  const store = await storeOf(blocks);
  return { store, reader: createNodeReader(store), root: decodeCid(root) };
};

const listOf = async <T>(batches: AsyncIterable<T | T[]>): Promise<T[]> => {
  const all: T[] = [];
  for await (const batch of batches) {
    all.push(...(Array.isArray(batch) ? batch : [batch]));
  }
  return all;
};

describe('a tree without a repository', () => {
  test('equals the tree built from the same keys, and is valid', async () => {
    const { store, root } = await plant();
    const builder = createTreeBuilder();
    KEYS.forEach((key) => builder.add(key, record(key).bytes));
    expect(String(decodeCid(builder.finish()))).toBe(String(root));
    expect(await verifyTree(store, root)).toMatchObject({ faults: [], leaves: KEYS.length });
    expect(String(decodeCid(seal(EMPTY_LINK).root))).toBe(String(EMPTY_ROOT));
  });

  test('is looked through', async () => {
    const { reader, root } = await plant();
    expect(String(await findValue(reader, root, KEYS[7]!))).toBe(String(record(KEYS[7]!)));
    expect(await findValues(reader, root, ['com.example.note/none', KEYS[8]!])).toEqual([undefined, record(KEYS[8]!)]);
    expect(await listOf(walkLeaves(reader, root, { after: KEYS[297]! }))).toMatchObject([
      { key: KEYS[298] },
      { key: KEYS[299] },
    ]);
    expect([isTreeKey('a'), isTreeKey(KEYS[0]!), layerOf('com.example.record/3jqfcqzm3fo2j')]).toEqual([
      false,
      true,
      0,
    ]);
  });

  test('is edited, and the old tree stays unchanged', async () => {
    const { store, reader, root } = await plant();
    const loaded = await loadPaths(reader, linkTo(root), [KEYS[3]!, 'com.example.note/new']);
    const edited = insert(remove(loaded, KEYS[3]!), 'com.example.note/new', record('new').bytes);
    expect(findLoaded(edited, KEYS[3]!)).toBeUndefined();
    expect(findLoaded(loaded, KEYS[3]!)).toBeDefined();
    const sealed = seal(edited);
    await store.transact((change) => change.put(sealed.blocks));
    const after = decodeCid(sealed.root);
    expect(
      (await listOf(diffTrees(reader, root, after))).map(
        ({ key, from, to }) => `${key} ${from !== undefined} ${to !== undefined}`,
      ),
    ).toEqual([`${KEYS[3]} true false`, 'com.example.note/new false true']);
    const { created } = await diffNodes(reader, root, after);
    expect(created.map((cid) => String(decodeCid(cid))).sort()).toEqual(
      sealed.blocks.map(({ cid }) => String(cid)).sort(),
    );
  });

  test('is proved to who has the root alone', async () => {
    const { reader, root } = await plant();
    const keys = [KEYS[42]!, 'com.example.note/none'];
    for (const prove of [pathProof, coveringProof]) {
      const proof = await prove(reader, root, keys);
      const theirs = createNodeReader(await storeOf(proof));
      expect(await findValues(theirs, root, keys)).toEqual([record(KEYS[42]!), undefined]);
      await expect(listOf(walkLeaves(theirs, root))).rejects.toMatchObject({ code: 'BlockNotFound' });
    }
  });
});
