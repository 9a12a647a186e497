import { describe, expect, test } from 'vitest';
import type { CarSource } from '../../../../src/core/car/source.ts';
import { writeCar } from '../../../../src/core/car/writer.ts';
import { encodeCbor } from '../../../../src/core/data/cbor-encode.ts';
import type { CidBytes } from '../../../../src/core/data/cid.ts';
import { CODEC_DAG_CBOR, CODEC_RAW, cidOf, decodeCid } from '../../../../src/core/data/cid.ts';
import { readAll } from '../../../../src/core/data/streams.ts';
import { createTreeBuilder } from '../../../../src/core/mst/build.ts';
import { openCar } from '../../../../src/core/repo/transfer/open-car.ts';
import { listOf } from '../../../../src/core/data/list-of.ts';
import { readCar } from '../../../../src/core/car/reader.ts';
import { createCommit } from '../../../../src/core/repo/commit.ts';
import { EMPTY_ROOT } from '../../../../src/core/mst/node.ts';
import { verifyCar } from '../../../../src/core/repo/transfer/verify-car.ts';
import { generateKey } from '../../../../src/core/crypto/signing-key.ts';
import { encodeNode } from '../../../../src/core/mst/codec.ts';
import { CheckedRecords } from '../../../../src/core/repo/transfer/checked-records.ts';
import { PackedBlocks } from '../../../../src/core/blocks/packed-blocks.ts';
import type { Block } from '../../../../src/core/blocks/block.ts';
import { tidOf } from '../../../../src/core/syntax/tid.ts';
import { createHashAll } from '../../../../src/wasm/hash/sha256.ts';
import { sampleCar } from '../../../large/sample-car.ts';

const DID = 'did:web:alice.example.com';
const key = generateKey();
const sample = await sampleCar(300, { did: DID, signer: key });
const blocks = [...readCar(sample.car)];

const without = (left: Block): Uint8Array =>
  writeCar(
    sample.head,
    blocks.filter((block) => block !== left),
  );
const isNode = ({ bytes }: Block): boolean => bytes[0] === 0xa2 && bytes[2] === 0x65;

describe.each([
  ['hashed one by one', undefined],
  ['hashed four at a time', createHashAll()],
])('%s', (_, hashAll) => {
  test('a complete repository has no faults', async () => {
    const report = await verifyCar(sample.car, { did: DID, key: key.did(), hashAll });
    expect(report).toMatchObject({ ok: true, faults: [], signature: 'valid', records: 300, unlinked: 0 });
    expect([String(report.head), report.blocks]).toEqual([String(sample.head), blocks.length]);
    expect(report.commit.data.equals(sample.data)).toBe(true);
  });

  test('without a key the signature is unchecked, with another one invalid', async () => {
    expect(await verifyCar(sample.car, { hashAll })).toMatchObject({ ok: true, signature: 'unchecked' });
    const report = await verifyCar(sample.car, { key: generateKey().did(), hashAll });
    expect(report).toMatchObject({
      ok: false,
      signature: 'invalid',
      faults: [{ code: 'InvalidSignature', cid: sample.head }],
    });
  });

  test('accepts all forms of a key, and a DID document must be of the account of the CAR', async () => {
    const publicKeyMultibase = key.did().slice('did:key:'.length);
    const documentOf = (id: string): object => ({
      id,
      verificationMethod: [{ id: `${id}#atproto`, type: 'Multikey', publicKeyMultibase }],
    });
    for (const form of [publicKeyMultibase, documentOf(DID), JSON.stringify(documentOf(DID))]) {
      expect(await verifyCar(sample.car, { key: form, hashAll })).toMatchObject({ ok: true, signature: 'valid' });
    }
    const foreign = { key: documentOf('did:web:bob.example.com'), hashAll };
    await expect(verifyCar(sample.car, foreign)).rejects.toMatchObject({ code: 'UnknownKey' });
    await expect(verifyCar(sample.car, { ...foreign, did: DID })).rejects.toThrow(/is of another account/);
    await expect(verifyCar(sample.car, { key: 'key', hashAll })).rejects.toThrow(/expected .*did:key/);
  });

  test('another account is a fault', async () => {
    expect(await verifyCar(sample.car, { did: 'did:web:bob.example.com', hashAll })).toMatchObject({
      ok: false,
      faults: [{ code: 'WrongDid' }],
    });
  });

  test('every block that is missing is named', async () => {
    const left = blocks
      .filter(({ cid }) => !cid.equals(sample.head))
      .filter((block, i) => isNode(block) || i % 20 === 0);
    for (const block of left) {
      const { faults } = await verifyCar(without(block), { hashAll });
      expect(faults[0]).toMatchObject({ code: 'BlockNotFound' });
      expect(String(faults[0]!.cid)).toBe(String(block.cid));
    }
  });

  test('a byte that changed anywhere is found', async () => {
    for (let at = 100; at < sample.car.length; at += 997) {
      const changed = sample.car.slice();
      changed[at]! ^= 1;
      await expect(verifyCar(changed, { hashAll }), String(at)).rejects.toMatchObject({ name: 'RepoError' });
    }
  });

  test('unreferenced blocks are counted, and are not a fault', async () => {
    const extra = { cid: cidOf(CODEC_RAW, Uint8Array.of(1)), bytes: Uint8Array.of(1) };
    const report = await verifyCar(writeCar(sample.head, [extra, ...blocks, extra, blocks[3]!]), { hashAll });
    expect(report).toMatchObject({ ok: true, unlinked: 1, blocks: blocks.length });
  });
});

/** A repository of one given record. */
const carOf = async (path: string, bytes: Uint8Array): Promise<Uint8Array> => {
  const record = { cid: cidOf(CODEC_DAG_CBOR, bytes), bytes };
  const node = encodeCbor({ e: [{ k: new TextEncoder().encode(path), p: 0, t: null, v: record.cid }], l: null });
  const root = { cid: cidOf(CODEC_DAG_CBOR, node), bytes: node };
  const commit = await createCommit({ did: DID, data: root.cid, rev: tidOf(1, 1) }, key);
  return writeCar(commit.cid, [commit, root, record]);
};

describe('faults of records', () => {
  test('one that breaks the data model', async () => {
    const report = await verifyCar(await carOf('com.example.a/1', Uint8Array.of(0xfb, 0, 0, 0, 0, 0, 0, 0, 0)));
    expect(report.faults).toMatchObject([{ code: 'Malformed', path: 'com.example.a/1' }]);
  });

  test('one without a $type', async () => {
    expect((await verifyCar(await carOf('com.example.a/1', encodeCbor({ a: 1 })))).faults).toMatchObject([
      { code: 'Malformed' },
    ]);
  });

  test('one whose key is not a collection and a record key', async () => {
    expect(
      (await verifyCar(await carOf('nocollection/1', encodeCbor({ $type: 'com.example.a' })))).faults,
    ).toMatchObject([{ code: 'Malformed' }]);
  });
});

test('a commit without a signature is a fault', async () => {
  const commit = await createCommit({ did: DID, data: EMPTY_ROOT, rev: tidOf(1, 1) });
  const report = await verifyCar(
    writeCar(commit.cid, [commit, { cid: EMPTY_ROOT, bytes: Uint8Array.of(0xa2, 0x61, 0x65, 0x80, 0x61, 0x6c, 0xf6) }]),
  );
  expect(report).toMatchObject({ ok: false, signature: 'none', records: 0, faults: [{ code: 'InvalidSignature' }] });
});

test('a CAR without its commit, or without a root, is rejected', async () => {
  await expect(verifyCar(writeCar(sample.head, []))).rejects.toMatchObject({ code: 'BlockNotFound' });
  await expect(verifyCar(writeCar([], []))).rejects.toMatchObject({ code: 'Malformed' });
});

test('reports progress, and stops on abort', async () => {
  const told: number[] = [];
  await verifyCar(sample.car, { onProgress: ({ records }) => told.push(records) });
  expect(told.at(-1)).toBe(300);
  await expect(verifyCar(sample.car, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
});

test('says whether a CAR is a repository, a part of one, or damaged', async () => {
  const repo = await openCar(sample.car);
  const [{ collection, rkey } = { collection: '', rkey: '' }] = await listOf(repo.list());
  const contentOf = async (car: Uint8Array): Promise<string> => (await verifyCar(car)).content;
  expect(await contentOf(sample.car)).toBe('repository');
  expect(await contentOf(await repo.proveRecord(`${collection}/${rkey}`))).toBe('part');
  expect(await contentOf(await readAll(repo.exportCar({ range: { to: `${collection}/${rkey}` } })))).toBe('part');
  const record = { cid: cidOf(CODEC_DAG_CBOR, new Uint8Array([0xf6])), bytes: new Uint8Array([0xf6]) };
  const tree = createTreeBuilder((cid, bytes) => nodes.push({ cid: decodeCid(cid), bytes: bytes.slice() }));
  const nodes: Block[] = [];
  tree.add('com.example.a/1', record.cid.bytes as CidBytes);
  const commit = await createCommit({ did: DID, data: decodeCid(tree.finish()), rev: tidOf(1, 1) }, key);
  expect(await contentOf(writeCar(commit.cid, [commit, ...nodes, record]))).toBe('damaged');
  await repo.close();
});

describe('a stream has the same report as the same bytes', () => {
  /** Chunks that end inside blocks. */
  async function* streamOf(car: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < car.length; at += size) {
      yield car.slice(at, at + size);
    }
  }

  /** The report, or the message of the error. */
  const outcomeOf = async (source: CarSource): Promise<unknown> => {
    try {
      return await verifyCar(source, { did: DID, key: key.did(), hashAll: createHashAll() });
    } catch (error) {
      return String(error);
    }
  };

  const expectSame = async (car: Uint8Array): Promise<void> => {
    const expected = await outcomeOf(car);
    for (const size of [100, 5000, 1_000_000]) {
      expect(await outcomeOf(streamOf(car, size))).toEqual(expected);
    }
    expect(await outcomeOf(new Blob([Uint8Array.from(car)]))).toEqual(expected);
  };

  /** A CAR of a tree with these records, by key. */
  const carOf = async (records: ReadonlyMap<string, Uint8Array>, more: readonly Block[] = []): Promise<Uint8Array> => {
    const made: Block[] = [...more];
    const builder = createTreeBuilder((cid, bytes) => made.push({ cid: decodeCid(cid), bytes }));
    for (const [path, bytes] of records) {
      const cid = cidOf(CODEC_DAG_CBOR, bytes);
      made.push({ cid, bytes });
      builder.add(path, cid.bytes as CidBytes);
    }
    const commit = await createCommit({ did: DID, data: decodeCid(builder.finish()), rev: tidOf(1, 1) }, key);
    return writeCar(commit.cid, [...made, commit]);
  };

  const record = encodeCbor({ $type: 'com.example.note', text: 'a' });

  test('of a sound repository, and of one with repeated blocks', async () => {
    await expectSame(sample.car);
    await expectSame(writeCar(sample.head, [...blocks, ...blocks.slice(0, 200), ...blocks.toReversed()]));
  });

  test('without a block', async () => {
    for (const left of [blocks[0]!, blocks.find(isNode)!, blocks.findLast(isNode)!, blocks.at(-1)!]) {
      await expectSame(without(left));
    }
  });

  test('with records that break the data model, also short ones', async () => {
    const bad = [[0xa0], [0xa1, 0x61, 0x61], [], [0xa2, 0x61, 0x65, 0x80], [0x83, 1, 2, 3], [...record, 0]];
    const paths = bad.map((bytes, i) => [`com.example.note/k${i}`, Uint8Array.from(bytes)] as const);
    await expectSame(await carOf(new Map([...paths, ['com.example.note/ok', record]])));
  });

  test('with the same record under two keys, and a node as a record', async () => {
    const node = blocks.find(isNode)!.bytes;
    await expectSame(
      await carOf(
        new Map([
          ['com.example.note/a', record],
          ['com.example.note/b', record],
        ]),
      ),
    );
    await expectSame(
      await carOf(
        new Map([
          ['com.example.note/a', node],
          ['com.example.note/b', record],
        ]),
      ),
    );
  });

  test('with a record as a node, as the root of the tree and as the root of the CAR', async () => {
    const cid = cidOf(CODEC_DAG_CBOR, record);
    const leaf = { key: 'com.example.note/abc', value: cid.bytes as CidBytes };
    const node = encodeNode({
      keys: [leaf.key],
      values: [leaf.value],
      children: [{ cid: cid.bytes as CidBytes, node: undefined }, undefined],
    });
    const parts: Block[] = [
      { cid, bytes: record },
      { cid: cidOf(CODEC_DAG_CBOR, node), bytes: node },
    ];
    for (const data of parts.map((part) => part.cid)) {
      const commit = await createCommit({ did: DID, data, rev: tidOf(1, 1) }, key);
      await expectSame(writeCar(commit.cid, [...parts, commit]));
    }
    await expectSame(writeCar(cid, parts));
  });
});

test('of a stream, keeps no valid records in memory', async () => {
  const memory = new CheckedRecords(undefined);
  const kept = blocks.map(({ cid, bytes }) => {
    const frames = new PackedBlocks(Uint8Array.from([...cid.bytes, ...bytes]));
    frames.push(cid.bytes.length, cid.bytes.length + bytes.length);
    return memory.keep(frames).size;
  });
  const whole = blocks.filter((block) => isNode(block) || block.cid.equals(sample.head));
  expect(kept.reduce((sum, size) => sum + size)).toBe(
    whole.reduce((sum, { bytes }) => sum + bytes.length, 0) + 3 * (blocks.length - whole.length),
  );
});
