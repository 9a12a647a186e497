/** The proofs of DavidBuchanan314/mst-test-suite for 16,384 pairs of trees: each is a load of other blocks. */
import { describe, expect, test } from 'vitest';
import { cidBytesToText, cidTextToBytes, cidToText } from '../../../src/core/data/cid.ts';
import { findAtLayer } from '../../../src/core/mst/find.ts';
import { invert } from '../../../src/core/mst/invert.ts';
import { loadAvailable } from '../../../src/core/mst/load-available.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { coveringProof } from '../../../src/core/mst/proof.ts';
import { seal } from '../../../src/core/mst/seal.ts';
import { MstSuite, nameOf, namesOf } from './mst-suite.ts';

describe('mst-suite', () => {
  const suite = new MstSuite();
  const { pairs } = suite;
  const reader = createNodeReader(suite.blocks);

  test('the minimal proofs show each value and each absence', async () => {
    let absent = 0;
    for (const example of pairs) {
      const [, to] = suite.rootsOf(example);
      const { proof_nodes, record_ops } = example.results;
      if (record_ops.length === 0) {
        continue;
      }
      const tree = await loadAvailable(suite.blocksOf(proof_nodes), to);
      for (const { rpath, new_value } of record_ops) {
        const found = findAtLayer(tree, rpath);
        absent += found === undefined ? 1 : 0;
        if ((found === undefined ? null : cidBytesToText(found)) !== new_value) {
          expect.unreachable(`${nameOf(example)}: ${rpath}`);
        }
      }
    }
    expect(absent).toBeGreaterThan(10_000);
  });

  test('the inductive proof nodes are enough to undo the changes, and the covering proof has them all', async () => {
    let inverted = 0;
    for (const example of pairs) {
      const [from, to] = suite.rootsOf(example);
      const { inductive_proof_nodes, record_ops } = example.results;
      if (record_ops.length === 0) {
        continue;
      }
      const covering = new Set(
        namesOf(
          await coveringProof(
            reader,
            to,
            record_ops.map(({ rpath }) => rpath),
          ),
        ),
      );
      expect(inductive_proof_nodes.filter((cid) => !covering.has(cid))).toEqual([]);
      const tree = await loadAvailable(suite.blocksOf(inductive_proof_nodes), to);
      const changes = record_ops.map(({ rpath, old_value, new_value }) => ({
        key: rpath,
        from: old_value === null ? undefined : cidTextToBytes(old_value),
        to: new_value === null ? undefined : cidTextToBytes(new_value),
      }));
      if (cidBytesToText(seal(invert(tree, changes)).root) !== cidToText(from)) {
        expect.unreachable(nameOf(example));
      }
      inverted += 1;
    }
    expect(inverted).toBe(16_256);
  });
});
