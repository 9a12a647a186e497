/** The check of a difference against the full walk, on mutated trees. `PDSDB_MUTATIONS` is their number. */
import { describe, expect, test } from 'vitest';
import { createCidSet } from '../../../src/core/data/cid-set.ts';
import { hashAll } from '../../../src/core/data/sha256.ts';
import type { BlockReader } from '../../../src/core/storage/ports.ts';
import { EMPTY_ROOT } from '../../../src/core/mst/node.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { verifyDifference } from '../../../src/core/mst/verify-difference.ts';
import { seeded } from '../../random/seeded.ts';
import { Differences, MUTATION_NAMES, readerOf, treeOf, valueOf } from './mutated-differences.ts';

const MUTATIONS = Number(process.env['PDSDB_MUTATIONS'] ?? 800);
const SEED = 41;
/** These mutations give another sound tree. */
const SOUND = new Set(['a subtree removed', 'another value', 'nothing changed']);

describe('the check of a difference', () => {
  test(`has the verdict of the full walk on ${MUTATIONS} mutated trees (seed ${SEED})`, {
    timeout: 1_200_000,
  }, async () => {
    const random = seeded(SEED);
    const table = new Map<string, { tried: number; sound: number; unproved: number }>();
    let differences = new Differences(random, 80);
    for (let i = 0; i < MUTATIONS; i++) {
      if (i % 500 === 499) {
        differences = new Differences(random, 1 + Math.floor(random() * 200));
      }
      const name = MUTATION_NAMES[i % MUTATION_NAMES.length]!;
      const { difference, walk, sameChanges } = await differences.compare(name);
      const row = table.get(name) ?? { tried: 0, sound: 0, unproved: 0 };
      row.tried += 1;
      row.sound += walk === 'sound' ? 1 : 0;
      row.unproved += difference === 'unproved' ? 1 : 0;
      table.set(name, row);
      expect([difference, sameChanges], `${name}, number ${i}: the walk finds it ${walk}`).toEqual([
        walk === 'sound' ? 'proved' : 'unproved',
        true,
      ]);
    }
    console.table(Object.fromEntries(table));
    expect(table.get('nothing changed')).toMatchObject({ unproved: 0 });
    for (const name of MUTATION_NAMES.filter((one) => !SOUND.has(one))) {
      expect(table.get(name)!.unproved, name).toBeGreaterThan(0);
    }
  });

  test('reads nodes in proportion to the change, not to the tree', async () => {
    const records = new Map(Array.from({ length: 20_000 }, (_, i) => [`com.example.a/${i}`, valueOf(String(i))]));
    const before = treeOf(records);
    records.set('com.example.a/777', valueOf('changed'));
    const after = treeOf(records);
    const source = readerOf(after.blocks, before.blocks);
    let reads = 0;
    const blocks: BlockReader = {
      get: async (cid) => (await blocks.getMany([cid]))[0],
      getMany(cids) {
        reads += cids.length;
        return source.getMany(cids);
      },
    };
    const given = { verified: createNodeReader(blocks, { capacity: 0 }), blocks, arrived: createCidSet(), hashAll };
    const found = await verifyDifference(given, before.root, after.root);
    expect(found?.changes.map(({ key }) => key)).toEqual(['com.example.a/777']);
    expect(reads).toBeLessThan(30);
  });

  test('proves a first tree, an empty tree and an unchanged tree', async () => {
    const { root, blocks } = treeOf(new Map([['com.example.a/1', valueOf('1')]]));
    const empty = treeOf(new Map());
    const reader = readerOf(blocks, empty.blocks);
    const given = { verified: createNodeReader(reader), blocks: reader, arrived: createCidSet(), hashAll };
    expect(String(empty.root)).toBe(String(EMPTY_ROOT));
    expect((await verifyDifference(given, EMPTY_ROOT, root))?.changes).toHaveLength(1);
    expect((await verifyDifference(given, root, EMPTY_ROOT))?.changes).toHaveLength(1);
    expect((await verifyDifference(given, root, root))?.changes).toEqual([]);
  });
});
