/** All pairs of the 128 trees of DavidBuchanan314/mst-test-suite: 16,384 differences and proofs. */
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCar } from '../../../src/core/car/reader.ts';
import type { CID } from '../../../src/core/data/cid.ts';
import { cidBytesToText, cidTextToBytes, cidToText } from '../../../src/core/data/cid.ts';
import { diffNodes, diffTrees } from '../../../src/core/mst/diff.ts';
import { findAtLayer } from '../../../src/core/mst/find.ts';
import { insert } from '../../../src/core/mst/insert.ts';
import { invert } from '../../../src/core/mst/invert.ts';
import { loadAvailable } from '../../../src/core/mst/load-available.ts';
import { loadPaths } from '../../../src/core/mst/load.ts';
import { linkTo } from '../../../src/core/mst/node.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { coveringProof, pathProof } from '../../../src/core/mst/proof.ts';
import { remove } from '../../../src/core/mst/remove.ts';
import { seal } from '../../../src/core/mst/seal.ts';
import { verifyTree } from '../../../src/core/mst/verify.ts';
import { vectorBytes } from '../../vectors.ts';
import { BlocksInMemory } from './blocks-in-memory.ts';

interface Case {
  readonly inputs: { readonly mst_a: string; readonly mst_b: string };
  readonly results: {
    readonly created_nodes: readonly string[];
    readonly deleted_nodes: readonly string[];
    readonly record_ops: readonly {
      readonly rpath: string;
      readonly old_value: string | null;
      readonly new_value: string | null;
    }[];
    readonly proof_nodes: readonly string[];
    readonly inductive_proof_nodes: readonly string[];
  };
}

describe('mst-suite', () => {
  const cases: Case[] = [];
  const roots = new Map<string, CID>();
  const blocks = new BlocksInMemory();
  const reader = createNodeReader(blocks);

  beforeAll(() => {
    const lines = gunzipSync(vectorBytes('mst-suite/diff-cases.ndjson.gz')).toString();
    cases.push(
      ...lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Case),
    );
    for (const path of new Set(cases.flatMap(({ inputs }) => Object.values(inputs)))) {
      const car = readCar(vectorBytes(`mst-suite/${path}`));
      roots.set(path, car.roots[0]!);
      blocks.put(...car);
    }
  });

  const rootsOf = ({ inputs }: Case): readonly [CID, CID] => [roots.get(inputs.mst_a)!, roots.get(inputs.mst_b)!];
  const nameOf = ({ inputs }: Case): string => `${inputs.mst_a} to ${inputs.mst_b}`;
  const same = (found: readonly string[], expected: readonly string[]): boolean =>
    [...found].sort().join() === [...expected].sort().join();
  const namesOf = (proof: readonly { readonly cid: CID }[]): string[] => proof.map(({ cid }) => cidToText(cid));

  test('128 sound trees, 16,384 pairs', async () => {
    expect([cases.length, roots.size]).toEqual([16_384, 128]);
    for (const root of roots.values()) {
      expect((await verifyTree(blocks, root)).faults).toEqual([]);
    }
  });

  test('the changes of records', async () => {
    for (const example of cases) {
      const found: string[] = [];
      for await (const { key, from, to } of diffTrees(reader, ...rootsOf(example))) {
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
    for (const example of cases) {
      const { created, deleted } = await diffNodes(reader, ...rootsOf(example));
      const { created_nodes, deleted_nodes } = example.results;
      if (!same(created.map(cidBytesToText), created_nodes) || !same(deleted.map(cidBytesToText), deleted_nodes)) {
        expect({ created: created.map(cidBytesToText), deleted: deleted.map(cidBytesToText) }, nameOf(example)).toEqual(
          { created: created_nodes, deleted: deleted_nodes },
        );
      }
    }
  });

  test('edits lead from one to the other', async () => {
    for (const example of cases) {
      const [from, to] = rootsOf(example);
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
    for (const example of cases) {
      const [, to] = rootsOf(example);
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

  test('the minimal proofs show each value and each absence', async () => {
    let absent = 0;
    for (const example of cases) {
      const [, to] = rootsOf(example);
      const { proof_nodes, record_ops } = example.results;
      if (record_ops.length === 0) {
        continue;
      }
      const tree = await loadAvailable(only(blocks, proof_nodes), to);
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
    for (const example of cases) {
      const [from, to] = rootsOf(example);
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
      const tree = await loadAvailable(only(blocks, inductive_proof_nodes), to);
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

/** A reader of a part of the blocks. */
const only = (blocks: BlocksInMemory, names: readonly string[]): BlocksInMemory => {
  const some = new BlocksInMemory();
  for (const name of names) {
    some.blocks.set(name, blocks.blocks.get(name)!);
  }
  return some;
};
