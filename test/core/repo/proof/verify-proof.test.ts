/** Proofs of single records. */
import { describe, expect, test } from 'vitest';
import { writeCar } from '../../../../src/core/car/writer.ts';
import { CODEC_DAG_CBOR, cidOf, cidToText } from '../../../../src/core/data/cid.ts';
import type { CidBytes } from '../../../../src/core/data/cid.ts';
import type { Block } from '../../../../src/core/blocks/block.ts';
import { encodeNode } from '../../../../src/core/mst/codec.ts';
import { layerOf } from '../../../../src/core/mst/key.ts';
import type { NodeContent } from '../../../../src/core/mst/node.ts';
import { createCommit } from '../../../../src/core/repo/commit.ts';
import { verifyProof } from '../../../../src/core/repo/proof/verify-proof.ts';
import { DID, KEY, OTHER_KEY } from '../../../../src/testing/repo/harness.ts';
import { REV, commit, data, nodesTo, options, paths, proofOf, records } from './proven-records.ts';

const blockOf = (content: NodeContent): Block => {
  const bytes = encodeNode(content);
  return { cid: cidOf(CODEC_DAG_CBOR, bytes), bytes };
};

/** Each proof takes a verified signature, and the depth of the tree does not depend on the path. */
const some = paths.filter((_, i) => i % 4 === 0);

describe('a proof', () => {
  test('of a record is present, with its block', async () => {
    for (const path of some) {
      const result = await verifyProof(await proofOf(path), options(path));
      expect(result).toMatchObject({ state: 'present', rev: REV });
      if (result.state === 'present') {
        expect(cidToText(result.cid)).toBe(cidToText(records.get(path)!.cid));
        expect(Buffer.from(result.bytes!).equals(records.get(path)!.bytes)).toBe(true);
        expect(cidToText(result.commit)).toBe(cidToText(commit.cid));
      }
    }
  });

  test('of a path without a record is absent', async () => {
    for (const path of some) {
      expect(await verifyProof(await proofOf(`${path}z`), options(`${path}z`))).toMatchObject({ state: 'absent' });
    }
  });

  test('of absence may stop at the layer of the key', async () => {
    let shorter = 0;
    for (const path of some.map((name) => `${name}y`)) {
      const nodes = await nodesTo(path);
      for (let count = nodes.length - 1; count >= 0; count--) {
        const result = await verifyProof(writeCar([commit.cid], [commit, ...nodes.slice(0, count)]), options(path));
        expect(['absent', 'unproven']).toContain(result.state);
        shorter += result.state === 'absent' ? 1 : 0;
      }
    }
    expect(shorter).toBeGreaterThan(10);
  });

  test('that lacks a node or the commit is unproven, never absent', async () => {
    for (const path of some.slice(0, 60)) {
      const nodes = await nodesTo(path);
      for (let at = 0; at < nodes.length; at++) {
        const car = writeCar([commit.cid], [commit, ...nodes.toSpliced(at, 1), records.get(path)!]);
        expect(await verifyProof(car, options(path))).toMatchObject({ state: 'unproven' });
      }
      expect(await verifyProof(writeCar([commit.cid], nodes), options(path))).toMatchObject({ state: 'unproven' });
    }
  });

  test('without the block of the record says so', async () => {
    const car = writeCar([commit.cid], [commit, ...(await nodesTo(paths[0]!))]);
    expect(await verifyProof(car, options(paths[0]!))).toMatchObject({ state: 'present', bytes: undefined });
  });

  test('of another account, another key, or no signature is invalid', async () => {
    const car = await proofOf(paths[0]!);
    const { path } = options(paths[0]!);
    const invalid = { state: 'invalid', reason: expect.any(String) as string };
    expect(await verifyProof(car, { did: 'did:web:bob.example.com', key: KEY.did(), path })).toMatchObject(invalid);
    expect(await verifyProof(car, { did: DID, key: OTHER_KEY.did(), path })).toMatchObject(invalid);
    const unsigned = await createCommit({ did: DID, data, rev: REV });
    const other = writeCar([unsigned.cid], [unsigned, ...(await nodesTo(path)), records.get(path)!]);
    expect(await verifyProof(other, { did: DID, key: KEY.did(), path })).toMatchObject(invalid);
    expect(await verifyProof(new Uint8Array(20), { did: DID, key: KEY.did(), path })).toMatchObject(invalid);
    expect(await verifyProof(writeCar([], []), { did: DID, key: KEY.did(), path })).toMatchObject(invalid);
  });

  test('of bad arguments is an error', async () => {
    const car = await proofOf(paths[0]!);
    await expect(verifyProof(car, { ...options(paths[0]!), did: 'alice' })).rejects.toMatchObject({
      code: 'InvalidDid',
    });
    await expect(verifyProof(car, { ...options(paths[0]!), key: 'zzz' })).rejects.toMatchObject({ code: 'UnknownKey' });
    await expect(verifyProof(car, options('no-path'))).rejects.toMatchObject({ code: 'InvalidCollection' });
  });
});

test('a signed tree that breaks a rule is invalid', async () => {
  const inner = paths.find((path) => layerOf(path) === 1)!;
  const leaf = (key: string): NodeContent => ({
    keys: [key],
    values: [records.get(paths[0]!)!.cid.bytes as CidBytes],
    children: [undefined, undefined],
  });
  const outside = paths.find((path) => layerOf(path) === 0 && path > inner)!;
  const child = blockOf(leaf(outside));
  // The key of the child comes after that of its parent, and is on its left.
  const top = blockOf({ ...leaf(inner), children: [{ cid: child.cid.bytes as CidBytes, node: undefined }, undefined] });
  const { cid, bytes } = await createCommit({ did: DID, data: top.cid, rev: REV }, KEY);
  const car = writeCar([cid], [{ cid, bytes }, top, child]);
  for (const path of [outside, inner]) {
    expect(await verifyProof(car, options(path))).toMatchObject({ state: 'invalid' });
  }
});
