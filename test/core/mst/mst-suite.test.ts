/**
 * All pairs of the 128 trees of DavidBuchanan314/mst-test-suite: 16,384 differences, and the proofs of their second
 * trees.
 */
import { describe, expect, test } from 'vitest';
import { cidBytesToText, cidTextToBytes, cidToText } from '../../../src/core/data/cid.ts';
import { diffNodes, diffTrees } from '../../../src/core/mst/diff.ts';
import { insert } from '../../../src/core/mst/insert.ts';
import { loadPaths } from '../../../src/core/mst/load.ts';
import { linkTo } from '../../../src/core/mst/node.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { pathProof } from '../../../src/core/mst/proof.ts';
import { remove } from '../../../src/core/mst/remove.ts';
import { seal } from '../../../src/core/mst/seal.ts';
import { verifyTree } from '../../../src/core/mst/verify.ts';
import { MstSuite, nameOf, namesOf } from './mst-suite.ts';

describe('mst-suite', () => {
  const suite = new MstSuite();
  const { pairs, roots, blocks } = suite;
  const reader = createNodeReader(blocks);
  const same = (found: readonly string[], expected: readonly string[]): boolean =>
    [...found].sort().join() === [...expected].sort().join();

  test('128 sound trees, 16,384 pairs', async () => {
    expect([pairs.length, roots.size]).toEqual([16_384, 128]);
    for (const root of roots.values()) {
      expect((await verifyTree(blocks, root)).faults).toEqual([]);
    }
  });

  test('the changes of records', async () => {
    for (const example of pairs) {
      const found: string[] = [];
      for await (const { key, from, to } of diffTrees(reader, ...suite.rootsOf(example))) {
        found.push(
          `${key} ${from === undefined ? null : cidBytesToText(from)} ${to === undefined ? null : cidBytesToText(to)}`,
        );
      }
      const expected = example.results.record_ops.map(
        ({ rpath, old_value, new_value }) => `${rpath} ${old_value} ${new_value}`,
      );
      // In key order on both sides.
      if (found.join() !== expected.join()) {
        expect(found, nameOf(example)).toEqual(expected);
      }
    }
  });

  test('the nodes that are created and deleted', async () => {
    for (const example of pairs) {
      const { created, deleted } = await diffNodes(reader, ...suite.rootsOf(example));
      const { created_nodes, deleted_nodes } = example.results;
      if (!same(created.map(cidBytesToText), created_nodes) || !same(deleted.map(cidBytesToText), deleted_nodes)) {
        expect({ created: created.map(cidBytesToText), deleted: deleted.map(cidBytesToText) }, nameOf(example)).toEqual(
          { created: created_nodes, deleted: deleted_nodes },
        );
      }
    }
  });

  test('edits lead from one to the other', async () => {
    for (const example of pairs) {
      const [from, to] = suite.rootsOf(example);
      const ops = example.results.record_ops;
      let tree = await loadPaths(
        reader,
        linkTo(from),
        ops.map(({ rpath }) => rpath),
      );
      for (const { rpath, new_value } of ops) {
        tree = new_value === null ? remove(tree, rpath) : insert(tree, rpath, cidTextToBytes(new_value)!);
      }
      if (cidBytesToText(seal(tree).root) !== cidToText(to)) {
        expect.unreachable(nameOf(example));
      }
    }
  });

  test('proofs of the second tree', async () => {
    let exact = 0;
    for (const example of pairs) {
      const [, to] = suite.rootsOf(example);
      const { proof_nodes, record_ops } = example.results;
      const keys = record_ops.map(({ rpath }) => rpath);
      const proof = keys.length === 0 ? [] : namesOf(await pathProof(reader, to, keys));
      // The suite proves the absence of a key down to the key's layer. A reader that does not hash the key, such as the
      // reference implementation, goes down to the leaves, and so does our proof.
      const deletes = record_ops.some(({ new_value }) => new_value === null);
      const complete = deletes ? proof_nodes.every((cid) => proof.includes(cid)) : same(proof, proof_nodes);
      exact += deletes ? 0 : 1;
      if (!complete) {
        expect(proof, nameOf(example)).toEqual(proof_nodes);
      }
    }
    expect(exact).toBeGreaterThan(1000);
  });
});
