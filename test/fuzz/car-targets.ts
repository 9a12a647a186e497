/**
 * Imports of CARs into a repository with content. They are refused without a change, or the result is sound and its
 * export equals the CAR.
 */
import { equalBytes } from '../../src/core/data/bytes.ts';
import type { Fault } from '../../src/core/data/fault.ts';
import { cidToText } from '../../src/core/data/cid.ts';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import { verifyCar } from '../../src/core/repo/transfer/verify-car.ts';
import { DID, KEY, POST } from '../../src/testing/repo/harness.ts';
import { readAll } from '../../src/core/data/streams.ts';
import { asyncOf, cut } from '../core/car/raw-car.ts';
import { keysOfLayer } from '../core/mst/raw-node.ts';
import type { Entry, Repository } from '../hostile/build-repository.ts';
import { BASE_REV, blockOfBytes, carOf, carOfBlocks, posts, repositoryOf } from '../hostile/build-repository.ts';
import { dumpStore } from '../hostile/dump-store.ts';
import type { FuzzTarget, Outcome } from './fuzz-target.ts';
import { hold, orRefused } from './fuzz-target.ts';
import { mutateBlocks } from './mutate-blocks.ts';
import type { Random } from './mutate-bytes.ts';
import { below, mutateBytes, pick } from './mutate-bytes.ts';

const base = await repositoryOf({ records: posts(6, 'base'), fields: { rev: BASE_REV } });
const baseCar = carOf(base);

/** Keys of two layers, so that small trees have several nodes. */
const layered = [0, 1, 2].flatMap((layer) =>
  ['a', 'b', 'c'].map(
    (letter): Entry => [
      keysOfLayer(layer, 1, `com.example.${letter}/`)[0]!,
      blockOfBytes(encodeCbor({ $type: POST, layer, letter })),
    ],
  ),
);

const seeds: readonly Repository[] = [
  await repositoryOf({ records: posts(30) }),
  await repositoryOf({ records: layered }),
  await repositoryOf({ records: [] }),
  await repositoryOf({ records: [...posts(6, 'base'), ...layered.slice(0, 2)] }),
];

const openBase = async () => {
  const [store, blobs] = [new MemoryBlockStore(DID), new MemoryBlobStore()];
  const repo = repoOver({ did: DID, store, blobs });
  await repo.importCar(baseCar);
  return { repo, store, blobs };
};

const isOfRecord = ({ code, path }: Fault): boolean => code === 'Malformed' && path !== undefined;

/** Imports with random chunks, and checks the result. */
const judge = async (car: Uint8Array, random: Random): Promise<Outcome> => {
  const place = await openBase();
  const before = await dumpStore(place.store, place.blobs);
  const pieces = random() < 0.5 ? [car] : cut(car, () => 1 + below(random, 300));
  const result = await orRefused(() =>
    place.repo.importCar(asyncOf(pieces), { key: random() < 0.5 ? KEY.did() : undefined }),
  );
  const report = await orRefused(() => verifyCar(car));
  if (result === undefined) {
    hold(
      (await dumpStore(place.store, place.blobs)).join('\n') === before.join('\n'),
      'a refused CAR leaves nothing behind',
    );
    return 'refused';
  }
  const { faults } = await place.repo.verify({ key: KEY.did() });
  hold(faults.every(isOfRecord), `an accepted CAR is sound: ${faults.map(({ message }) => message).join('; ')}`);
  hold(faults.length === result.faults.length, 'an import reports every fault that a check finds');
  hold(
    report === undefined || report.faults.every(({ code }) => code === 'Malformed' || code === 'BlockNotFound'),
    'verifyCar finds no more than is missing',
  );
  const exported = await readAll(place.repo.exportCar());
  const there = await openBase();
  const again = await there.repo.importCar(exported);
  hold(cidToText(again.head) === cidToText(result.head), 'the export has the same head');
  hold(equalBytes(await readAll(there.repo.exportCar()), exported), 'the export has the same bytes');
  return 'accepted';
};

export const carTargets: readonly FuzzTarget[] = [
  { name: 'CAR', run: async (random) => judge(mutateBytes(carOf(pick(random, seeds)), random), random) },
  {
    name: 'blocks, hashed and signed again',
    async run(random) {
      const blocks = await mutateBlocks(pick(random, seeds).blocks, random, KEY);
      return judge(carOfBlocks([blocks[0]!.cid], blocks), random);
    },
  },
  {
    name: 'blocks of two repositories, hashed and signed again',
    async run(random) {
      const blocks = await mutateBlocks([...pick(random, seeds).blocks, ...pick(random, seeds).blocks], random, KEY);
      return judge(carOfBlocks([blocks[0]!.cid], blocks), random);
    },
  },
];
