/** Test cases of every repository: import and export of CARs. */
import { readAll } from '../../core/data/streams.ts';
import type { Fault } from '../../core/data/fault.ts';
import { readCar } from '../../core/car/reader.ts';
import { writeCar } from '../../core/car/writer.ts';
import type { CID, CidBytes } from '../../core/data/cid.ts';
import { CODEC_DAG_CBOR, cidOf, decodeCid } from '../../core/data/cid.ts';
import { createCommit } from '../../core/repo/commit.ts';
import { createTreeBuilder } from '../../core/mst/build.ts';
import type { Repo, WriteOp } from '../../core/repo/repo.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import type { Block } from '../../core/blocks/block.ts';
import { tidOf } from '../../core/syntax/tid.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects } from '../case.ts';
import type { RepoHarness } from './harness.ts';
import { DID, KEY, LIKE, OTHER_DID, OTHER_KEY, POST, creates, describe, over, post, rkeyOf } from './harness.ts';

const chunked = (bytes: Uint8Array, size: number): ReadableStream<Uint8Array> => {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) {
        controller.close();
        return;
      }
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
};

/** Returns the CAR of a new repository with these records. */
export const carOf = async (
  records: readonly (readonly [path: string, block: Block])[],
  {
    did = DID,
    signer = KEY,
    time = 1_700_000_000_000_000,
    more = [],
  }: { did?: string; signer?: Signer | null; time?: number; more?: readonly Block[] } = {},
): Promise<Uint8Array> => {
  const blocks: Block[] = [];
  const builder = createTreeBuilder((cid, bytes) => blocks.push({ cid: decodeCid(cid), bytes }));
  for (const [path, { cid }] of records.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    builder.add(path, cid.bytes as CidBytes);
  }
  const data = decodeCid(builder.finish());
  const commit = await createCommit({ did, data, rev: tidOf(time, 0) }, signer ?? undefined);
  return writeCar(commit.cid, [...records.map(([, block]) => block), ...blocks, commit, ...more]);
};

const blockOf = (bytes: Uint8Array): Block => ({ cid: cidOf(CODEC_DAG_CBOR, bytes), bytes });

/** `{ "$type": "app.bsky.feed.post", "n": 1.5 }`: well-formed CBOR that the data model does not allow. */
export const FLOAT: Block = /* @__PURE__ */ blockOf(
  new Uint8Array([
    0xa2,
    0x61,
    0x6e,
    0xfb,
    0x3f,
    0xf8,
    0,
    0,
    0,
    0,
    0,
    0,
    0x65,
    ...new TextEncoder().encode('$type'),
    0x72,
    ...new TextEncoder().encode(POST),
  ]),
);

/** Returns the code and the path of each fault. */
const namesOf = ({ faults }: { readonly faults: readonly Fault[] }): string[] =>
  faults.map(({ code, path }) => `${code} ${path}`);

/** `{"$type": "x"}`, the smallest record. */
const TYPED: Block = /* @__PURE__ */ blockOf(new Uint8Array([0xa1, 0x65, 0x24, 0x74, 0x79, 0x70, 0x65, 0x61, 0x78]));

/** Returns the CAR of a new repository with posts, and its head. */
const exported = async (
  harness: RepoHarness,
  ops: readonly WriteOp[] = creates(30),
): Promise<{ car: Uint8Array; head: CID; rev: string }> => {
  const repo = await harness.other().create({ did: DID, signer: KEY });
  const { cid, rev } = await repo.write(ops);
  const car = await readAll(repo.exportCar());
  await repo.close();
  return { car, head: cid, rev };
};

/** Asserts that an import is refused and changes nothing. */
const refused = async (
  repo: Repo,
  car: Uint8Array,
  code: Parameters<typeof assertRejects>[1],
  what: string,
  options = {},
): Promise<void> => {
  const before = await describe(repo);
  await assertRejects(() => repo.importCar(car, options), code, what);
  assertEqual(await describe(repo), before, `${what}: the repository afterwards`);
};

export const repoCarCases: readonly Case<RepoHarness>[] = [
  over(
    'an exported CAR imports elsewhere with the same head and records, and exports the same CAR',
    async (repo, harness) => {
      const { car, head, rev } = await exported(harness);
      const result = await repo.importCar(car, { key: KEY.did!() });
      assertEqual(String(result.head), String(head), 'the head');
      assertEqual(result.rev, rev, 'the rev');
      assertEqual([result.created, result.updated, result.deleted, result.unchanged], [30, 0, 0, 0], 'counts');
      assertEqual(result.blocks, [...readCar(car)].length, 'blocks');
      assertEqual((await repo.get(POST, rkeyOf(7)))?.value.text, 'post 7', 'a record');
      assertEqual(await readAll(repo.exportCar()), car, 'the CAR');
      assert((await repo.verify({ key: KEY.did!() })).ok, 'it is sound');
    },
  ),

  over('a CAR may be bytes, a Blob, a stream or chunks of any size', async (repo, harness) => {
    const { car } = await exported(harness);
    const head = (await repo.importCar(car)).head;
    for (const source of [
      new Blob([car as Uint8Array<ArrayBuffer>]),
      chunked(car, 1),
      chunked(car, 1000),
      [car].values(),
    ]) {
      const from =
        Symbol.iterator in source
          ? (async function* () {
              yield* source;
            })()
          : source;
      const again = await repo.importCar(from);
      assertEqual([String(again.head), again.blocks, again.unchanged], [String(head), 0, 30], 'again');
    }
    assertEqual((await listOf(repo.log())).length, 1, 'commits');
  }),

  over('an import over an older state counts its changes', async (repo, harness) => {
    const source = await harness.other().create({ did: DID, signer: KEY });
    await source.write(creates(10));
    await repo.importCar(source.exportCar());
    await source.write([
      { action: 'create', collection: LIKE, rkey: 'l', value: { subject: 'x' } },
      { action: 'update', collection: POST, rkey: rkeyOf(3), value: post('changed') },
      { action: 'delete', collection: POST, rkey: rkeyOf(7) },
    ]);
    const result = await repo.importCar(source.exportCar());
    assertEqual([result.created, result.updated, result.deleted, result.unchanged], [1, 1, 1, 8], 'counts');
    assertEqual(await repo.get(POST, rkeyOf(7)), undefined, 'a record that the account deleted');
    assertEqual((await listOf(repo.log())).length, 2, 'commits');
    assert((await repo.verify()).ok, 'it is sound');
    await source.close();
  }),

  over('an export since a rev imports only over its base', async (repo, harness) => {
    const source = await harness.other().create({ did: DID, signer: KEY });
    const base = await source.write(creates(50));
    await repo.importCar(source.exportCar());
    await source.write([{ action: 'update', collection: POST, rkey: rkeyOf(3), value: post('changed') }]);
    const full = await readAll(source.exportCar());
    const diff = await readAll(source.exportCar({ since: base.rev }));
    assert(diff.length < full.length / 3, 'it is short');
    const empty = await harness.other().create({ did: DID });
    await refused(empty, diff, 'BlockNotFound', 'without its base');
    await empty.close();
    const result = await repo.importCar(diff);
    assertEqual([result.updated, result.unchanged], [1, 49], 'counts');
    assert((await repo.verify()).ok, 'it is sound');
    const nothing = await readAll(source.exportCar({ since: (await source.head())!.rev }));
    assertEqual([...readCar(nothing)].length, 0, 'blocks since the head');
    assertEqual((await repo.importCar(nothing)).unchanged, 50, 'records that an import without blocks leaves');
    await source.close();
  }),

  over('an export is in preorder: the commit, then each node before its children', async (repo) => {
    await repo.write(creates(200));
    const head = (await repo.head())!;
    const blocks = [...readCar(await readAll(repo.exportCar()))];
    assertEqual(String(blocks[0]?.cid), String(head.cid), 'the first block');
    assertEqual(String(blocks[1]?.cid), String(head.data), 'the second');
    const records = new Map((await listOf(repo.list(POST))).map(({ cid, rkey }) => [String(cid), rkey]));
    const order = blocks.flatMap(({ cid }) => records.get(String(cid)) ?? []);
    assertEqual(order, [...records.values()], 'records in key order');
  }),

  over('an export before the first commit, or since an unknown rev, is refused', async (repo) => {
    await assertRejects(() => readAll(repo.exportCar()), 'HeadNotFound', 'exportCar');
    await repo.write(creates(1));
    await assertRejects(() => readAll(repo.exportCar({ since: 'nothing' })), 'RefNotFound', 'an unknown rev');
  }),

  over('a CAR of another account, key or time is refused', async (repo) => {
    const records = [[`${POST}/a`, TYPED] as const];
    await refused(repo, await carOf(records, { did: OTHER_DID }), 'WrongDid', 'another account');
    await refused(repo, await carOf(records), 'WrongDid', 'another account than the option did', { did: OTHER_DID });
    await refused(repo, await carOf(records), 'InvalidSignature', 'another key', { key: OTHER_KEY.did!() });
    await refused(repo, await carOf(records), 'UnknownKey', 'an invalid key', { key: 'did:key:zzz' });
    await refused(repo, await carOf(records, { signer: null }), 'InvalidSignature', 'no signature');
    await refused(repo, await carOf(records, { signer: null }), 'InvalidSignature', 'no signature, and a key', {
      key: KEY.did!(),
      allowUnsigned: true,
    });
    await refused(
      repo,
      await carOf(records, { time: (Date.now() + 6 * 60_000) * 1000 }),
      'FutureRev',
      'six minutes ahead',
    );
    await repo.importCar(await carOf(records, { time: 1_700_000_000_000_000 }), { key: KEY.did!() });
    await refused(repo, await carOf(records, { time: 1_600_000_000_000_000 }), 'OutdatedRev', 'older than the head');
    await refused(repo, await carOf([]), 'OutdatedRev', 'another commit of the same rev');
    await repo.importCar(await carOf(records, { signer: null, time: 1_700_000_000_000_001 }), { allowUnsigned: true });
    assertEqual((await repo.head())?.signed, false, 'an unsigned one, allowed');
  }),

  over('damage anywhere in a CAR is found, and nothing is stored', async (repo, harness) => {
    await repo.write(creates(5));
    const { car } = await exported(harness, creates(5));
    const codes = new Set<string>();
    for (let at = 0; at < car.length; at += 13) {
      const damaged = car.slice();
      damaged[at]! ^= 1;
      const error = await repo.importCar(damaged).catch((cause: unknown) => cause as { name: string; code: string });
      assert('code' in error && error.name === 'RepoError', `a flipped bit at ${at} is refused`);
      codes.add(error.code);
    }
    assertEqual(codes.has('Malformed'), true, 'some damage is Malformed');
    for (let length = 0; length < car.length; length += 97) {
      const error = await repo.importCar(car.subarray(0, length)).catch((cause: unknown) => cause as { name: string });
      assertEqual('name' in error && error.name, 'RepoError', `cut after ${length} bytes`);
    }
    await refused(repo, new TextEncoder().encode('This is not a CAR, it is a text.\n'), 'Malformed', 'a text file');
    await refused(repo, new Uint8Array(0), 'Malformed', 'nothing at all');
    assertEqual((await repo.info()).records, 5, 'records');
    assert((await repo.verify()).ok, 'it is sound');
  }),

  over('blocks that the tree does not refer to are not stored', async (repo, harness) => {
    const stranger = blockOf(new TextEncoder().encode('a foreign block'));
    const { car } = await exported(harness);
    const { roots } = readCar(car);
    await repo.importCar(writeCar(roots, [stranger, ...readCar(car)]));
    const tree = await repo.checkout();
    assertEqual((await listOf(tree.entries())).length, 30, 'records');
    await assertRejects(() => repo.checkout(stranger.cid), 'RefNotFound', 'the block');
    assertEqual((await repo.info()).blocks, [...readCar(car)].length, 'blocks');
  }),

  over('blocks may come in any order, twice, and with more roots than one', async (repo, harness) => {
    const { car, head } = await exported(harness);
    const blocks = [...readCar(car)];
    const { roots } = readCar(car);
    const result = await repo.importCar(writeCar([...roots, blocks[3]!.cid], [...blocks.toReversed(), ...blocks]));
    assertEqual(String(result.head), String(head), 'the head');
    assertEqual(await readAll(repo.exportCar()), car, 'the CAR');
  }),

  over('an invalid record is reported and stored, or refused on request', async (repo, harness) => {
    const car = await carOf([
      [`${POST}/bad`, FLOAT],
      [`${POST}/good`, TYPED],
    ]);
    await refused(repo, car, 'InvalidRecord', 'refused on request', { records: 'reject' });
    const result = await repo.importCar(car);
    assertEqual(namesOf(result), [`Malformed ${POST}/bad`], 'the faults');
    await assertRejects(() => repo.get(POST, 'bad'), 'Malformed', 'get');
    assertEqual((await repo.get(POST, 'good'))?.value.$type, 'x', 'the other record');
    assertEqual(namesOf(await repo.verify()), [`Malformed ${POST}/bad`], 'the report');
    const there = await harness.other().create({ did: DID });
    await there.importCar(repo.exportCar());
    assertEqual((await there.info()).records, 2, 'the export imports into another repository');
    await there.close();
  }),

  over('a tree with a key that is not a record path is refused', async (repo) => {
    await refused(repo, await carOf([['nonsid/a', TYPED]]), 'Malformed', 'a collection that is not an NSID');
  }),

  over('an import reports progress and can be aborted', async (repo, harness) => {
    const { car } = await exported(harness, creates(300));
    const phases = new Set<string>();
    let last = 0;
    const stop = new AbortController();
    const before = await describe(repo);
    const reason = await repo
      .importCar(chunked(car, 4096), {
        signal: stop.signal,
        onProgress: ({ bytes }) => bytes > 20_000 && stop.abort(new Error('enough')),
      })
      .catch((error: unknown) => error);
    assertEqual((reason as Error).message, 'enough', 'rejects with the reason of the abort');
    assertEqual(await describe(repo), before, 'the repository');
    await repo.importCar(chunked(car, 4096), {
      onProgress({ phase, bytes, records }) {
        phases.add(phase);
        assert(bytes >= last, 'bytes rise');
        last = bytes;
        assert(records <= 300, 'records');
      },
    });
    assertEqual([...phases], ['read', 'verify', 'write'], 'phases');
  }),
];
