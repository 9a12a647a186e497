/** All pairs of the 128 trees of DavidBuchanan314/mst-test-suite: 16,384 differences and proofs. */
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCar } from '../../../src/core/car/reader.ts';
import type { CID } from '../../../src/core/data/cid.ts';
import { cidBytesToText, cidTextToBytes, cidToText } from '../../../src/core/data/cid.ts';
import { diffNodes, diffTrees } from '../../../src/core/mst/diff.ts';
import { insert } from '../../../src/core/mst/insert.ts';
import { loadPaths } from '../../../src/core/mst/load.ts';
import type { Link } from '../../../src/core/mst/node.ts';
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

  test('proofs of what the second tree holds', async () => {
    let exact = 0;
    for (const example of cases) {
      const [, to] = rootsOf(example);
      const { proof_nodes, record_ops } = example.results;
      const keys = record_ops.map(({ rpath }) => rpath);
      const proof = keys.length === 0 ? [] : namesOf(await pathProof(reader, to, keys));
      // That a key is not there the suite shows down to the key's layer. Whoever looks it up without hashing it, as the
      // reference implementation does, goes down to the leaves, so the proof does too.
      const deletes = record_ops.some(({ new_value }) => new_value === null);
      const complete = deletes ? proof_nodes.every((cid) => proof.includes(cid)) : same(proof, proof_nodes);
      exact += deletes ? 0 : 1;
      if (!complete) {
        expect(proof, nameOf(example)).toEqual(proof_nodes);
      }
    }
    expect(exact).toBeGreaterThan(1000);
  });

  test('the inductive proof nodes are enough to undo the changes, and the covering proof has them all', async () => {
    for (const example of cases) {
      const [from, to] = rootsOf(example);
      const { inductive_proof_nodes, record_ops } = example.results;
      const keys = record_ops.map(({ rpath }) => rpath);
      if (keys.length === 0) {
        continue;
      }
      const covering = new Set(namesOf(await coveringProof(reader, to, keys)));
      expect(inductive_proof_nodes.filter((cid) => !covering.has(cid))).toEqual([]);
      let tree = pruned(await loadPaths(reader, linkTo(to), keys), new Set(inductive_proof_nodes));
      for (const { rpath, old_value } of record_ops.toReversed()) {
        tree = old_value === null ? remove(tree, rpath) : insert(tree, rpath, cidTextToBytes(old_value)!);
      }
      if (cidBytesToText(seal(tree).root) !== cidToText(from)) {
        expect.unreachable(nameOf(example));
      }
    }
  });
});

/** A tree of which only some nodes are loaded. */
const pruned = ({ cid, node }: Link, names: ReadonlySet<string>): Link =>
  node === undefined || !names.has(cidBytesToText(cid!))
    ? { cid, node: undefined }
    : {
        cid,
        node: {
          ...node,
          children: node.children.map((child) => (child === undefined ? undefined : pruned(child, names))),
        },
      };
