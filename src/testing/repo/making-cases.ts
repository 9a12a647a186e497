/** Test cases of every entry point: creating repositories, also from a CAR. */
import type { CarSource } from '../../core/car/source.ts';
import { writeCar } from '../../core/car/writer.ts';
import { readCar } from '../../core/car/reader.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, skip } from '../case.ts';
import { FLOAT, carOf } from './car-cases.ts';
import type { RepoHarness } from './harness.ts';
import { DID, KEY, OTHER_DID, OTHER_KEY, POST, post } from './harness.ts';
import { encodeRecord } from '../../core/repo/record.ts';

type Maker = RepoHarness & Required<Pick<RepoHarness, 'importRepo' | 'openOrCreate'>>;

const making = (name: string, run: (harness: Maker) => Promise<void>): Case<RepoHarness> => ({
  name,
  async run(harness) {
    if (harness.openOrCreate === undefined || harness.importRepo === undefined) {
      skip('the place is not one of an entry point');
    }
    await run(harness as Maker);
  },
});

const sample = (): Promise<Uint8Array> => carOf([[`${POST}/a`, encodeRecord(POST, post('a'))]]);

/** Returns the same CAR with its commit as the last block. */
const commitLast = (car: Uint8Array): Uint8Array => {
  const { roots } = readCar(car);
  const [root] = roots;
  const blocks = [...readCar(car)];
  const isRoot = (text: string): boolean => text === String(root);
  const sorted = [
    ...blocks.filter(({ cid }) => !isRoot(String(cid))),
    ...blocks.filter(({ cid }) => isRoot(String(cid))),
  ];
  return writeCar(roots, sorted);
};

async function* chunked(bytes: Uint8Array, onEnd: () => void = () => undefined): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(50);
  try {
    for (let at = 0; at < bytes.length; at += buffer.length) {
      const chunk = bytes.subarray(at, at + buffer.length);
      // The memory of a chunk is used again for the next one.
      buffer.set(chunk);
      yield buffer.subarray(0, chunk.length);
    }
  } finally {
    onEnd();
  }
}

export const repoMakingCases: readonly Case<RepoHarness>[] = [
  making('openOrCreate creates a missing repository, and opens it the next time', async (harness) => {
    const first = await harness.openOrCreate({ did: DID, signer: KEY });
    await first.put(POST, 'a', post('a'));
    await first.close();
    const second = await harness.openOrCreate({ did: DID });
    assertEqual((await second.get(POST, 'a'))?.value.text, 'a', 'the record exists');
    await second.close();
    await assertRejects(() => harness.openOrCreate({ did: OTHER_DID }), 'WrongDid', 'a repository of another account');
    await assertRejects(() => harness.openOrCreate({ did: 'alice' }), 'InvalidDid', 'a text that is not a DID');
    // A refused call leaves no repository open.
    await (await harness.open()).close();
  }),

  making(
    'importRepo finds the account in the CAR, at any position of its commit and from any source',
    async (harness) => {
      const car = await sample();
      const sources: (readonly [string, (bytes: Uint8Array) => CarSource])[] = [
        ['bytes', (bytes) => bytes],
        ['a Blob', (bytes) => new Blob([bytes as Uint8Array<ArrayBuffer>])],
        ['a stream', (bytes) => new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()],
        ['chunks', (bytes) => chunked(bytes)],
      ];
      let place = harness;
      for (const [name, toSource] of sources) {
        for (const [order, bytes] of [
          ['as written', car],
          ['with the commit last', commitLast(car)],
        ] as const) {
          const repo = await place.importRepo(toSource(bytes), { key: KEY.did() });
          assertEqual([repo.did, repo.imported.created], [DID, 1], `${name}, ${order}`);
          assertEqual((await repo.get(POST, 'a'))?.value.text, 'a', `${name}, ${order}: the record`);
          await repo.close();
          place = harness.other() as Maker;
        }
      }
    },
  ),

  making('a failed importRepo leaves no repository', async (harness) => {
    const car = await sample();
    const damaged = car.slice();
    damaged[car.length - 3]! ^= 1;
    const bad = await carOf([[`${POST}/bad`, FLOAT]]);
    await assertRejects(() => harness.importRepo(car, { key: OTHER_KEY.did() }), 'InvalidSignature', 'another key');
    await assertRejects(() => harness.importRepo(car, { did: OTHER_DID }), 'WrongDid', 'another account');
    await assertRejects(() => harness.importRepo(car, { key: 'key' }), 'UnknownKey', 'a key that is not one');
    await assertRejects(() => harness.importRepo(bad, { records: 'reject' }), 'InvalidRecord', 'a faulty record');
    await assertRejects(() => harness.importRepo(damaged), 'Malformed', 'a damaged CAR');
    await assertRejects(() => harness.importRepo(car.subarray(0, car.length - 1)), 'Malformed', 'half of a CAR');
    await assertRejects(() => harness.importRepo(new TextEncoder().encode('<!doctype html>')), 'Malformed', 'a page');
    let ended = 0;
    await assertRejects(() => harness.importRepo(chunked(damaged, () => ended++)), 'Malformed', 'a damaged stream');
    await assertRejects(
      () =>
        harness.importRepo(
          chunked(car, () => ended++),
          { key: 'key' },
        ),
      'UnknownKey',
      'a stream',
    );
    assertEqual(ended, 2, 'ended streams');
    await assertRejects(() => harness.open(), 'RepoNotFound', 'no repository');
    const repo = await harness.importRepo(car);
    await assertRejects(() => harness.importRepo(car), 'RepoExists', 'while it is open');
    await repo.close();
    await assertRejects(() => harness.importRepo(car), 'RepoExists', 'after it was closed');
    const again = await harness.open();
    assert((await again.verify()).ok, 'it is sound');
    assertEqual((await again.info()).records, 1, 'the records');
    await again.close();
  }),
];
