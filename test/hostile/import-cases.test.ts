/** Imports each hostile CAR into a repository with records, over both stores and with all chunk sizes. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { equalBytes } from '../../src/core/data/bytes.ts';
import { isRepoError } from '../../src/core/errors.ts';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import type { BlobStore, BlockStore } from '../../src/core/storage/ports.ts';
import { MemoryFiles } from '../../src/testing/files/memory-files.ts';
import { DID } from '../../src/testing/repo/harness.ts';
import { readAll } from '../../src/core/data/streams.ts';
import { createStore } from '../adapters/sqlite/open-store.ts';
import { asyncOf, cut } from '../core/car/raw-car.ts';
import { seeded } from '../random/seeded.ts';
import { carOf } from './build-repository.ts';
import { dumpStore } from './dump-store.ts';
import type { HostileCase } from './hostile-case.ts';
import { importClasses } from './import-classes.ts';
import { base } from './unusual-cases.ts';

interface Place {
  readonly repo: Repo;
  readonly store: BlockStore;
  readonly blobs: BlobStore;
}

const openPlace = async (openStore: () => Promise<BlockStore>): Promise<Place> => {
  const [store, blobs] = [await openStore(), new MemoryBlobStore()];
  const repo = repoOver({ did: DID, store, blobs });
  await repo.importCar(carOf(base));
  await repo.putBlob(new TextEncoder().encode('a blob'), { mimeType: 'text/plain' });
  return { repo, store, blobs };
};

/** Above this size, one byte at a time takes too long. */
const SMALL = 30_000;

const cuts: readonly (readonly [name: string, of: (car: Uint8Array) => Iterable<Uint8Array>])[] = [
  ['in one piece', (car) => [car]],
  ['a byte at a time', (car) => cut(car, () => (car.length <= SMALL ? 1 : 997))],
  ['in random pieces, seed 5', (car) => cut(car, randomLengths(seeded(5), car.length))],
];

const [, , atRandom] = cuts;

/** Chunks do not depend on the store, so the slow SQLite store is tested with one chunk size. */
const stores = [
  ['memory', () => openPlace(async () => new MemoryBlockStore(DID)), cuts],
  ['SQLite', () => openPlace(() => createStore(new MemoryFiles())), [atRandom!]],
] as const;

const randomLengths = (random: () => number, size: number) => (): number => Math.floor(random() * (size / 7 + 40));

/** Returns the code and the message of an import, or `accepted`, or `reported`. Fails on an error without a code. */
const verdictOn = async (
  { repo }: Place,
  pieces: Iterable<Uint8Array>,
  options: HostileCase['options'],
): Promise<string> => {
  try {
    const { faults } = await repo.importCar(asyncOf(pieces), options);
    return faults.length === 0 ? 'accepted' : `reported: ${faults.map(({ message }) => message).join('\n')}`;
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return `${error.code}: ${error.message}`;
  }
};

const prototype = Object.getOwnPropertyNames(Object.prototype).join();
afterAll(() =>
  expect(Object.getOwnPropertyNames(Object.prototype).join(), 'the prototype of all objects').toBe(prototype),
);

describe.each(stores)('over a store of %s', (_store, open, ways) => {
  let place: Place;
  let before: readonly string[];
  beforeAll(async () => {
    place = await open();
    before = await dumpStore(place.store, place.blobs);
  });

  /** Rejected with the same message for all chunk sizes, without a trace. */
  const isRefused = async (car: Uint8Array, { expect: code, message, options }: HostileCase): Promise<void> => {
    const verdicts = new Set<string>();
    for (const [name, of] of ways) {
      const verdict = await verdictOn(place, of(car), options);
      expect(verdict, name).toMatch(new RegExp(`^${code}: `));
      expect(await dumpStore(place.store, place.blobs), `${name}: content afterwards`).toEqual(before);
      verdicts.add(verdict);
    }
    expect([...verdicts]).toHaveLength(1);
    expect([...verdicts][0]).toMatch(message ?? /./);
  };

  /** Accepted for all chunk sizes, valid afterwards, and exported unchanged. */
  const isAccepted = async (car: Uint8Array, { expect: verdict, options, then }: HostileCase): Promise<void> => {
    for (const [name, of] of ways) {
      const own = await open();
      expect(await verdictOn(own, of(car), options), name).toMatch(new RegExp(`^${verdict}(: [^]*)?$`));
      const { faults } = await own.repo.verify();
      expect(
        faults.map(({ code, path }) => [code, path !== undefined]),
        name,
      ).toEqual(verdict === 'reported' ? [['Malformed', true]] : []);
      await expect(firstFaulty(own.repo)).resolves.toBe(verdict === 'reported' ? 'Malformed' : 'none');
      await then?.(own.repo);
      const again = await open();
      const exported = await readAll(own.repo.exportCar());
      await again.repo.importCar(exported, { allowUnsigned: true });
      // Not `toEqual`, which takes ten seconds for a megabyte.
      expect(equalBytes(await readAll(again.repo.exportCar()), exported), `${name}: exported again, the same`).toBe(
        true,
      );
      await own.repo.close();
      await again.repo.close();
    }
  };

  describe.each(importClasses.map(({ name, cases }) => [name, cases] as const))('%s', (_class, cases) => {
    test.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
      const car = await one.car();
      await (one.expect === 'accepted' || one.expect === 'reported' ? isAccepted(car, one) : isRefused(car, one));
    });
  });
});

/** Returns the error code of the first unreadable record. */
const firstFaulty = async (repo: Repo): Promise<string> => {
  const tree = await repo.checkout();
  for await (const { collection, rkey } of tree.entries()) {
    try {
      await repo.get(collection, rkey);
    } catch (error) {
      if (!isRepoError(error)) {
        throw error;
      }
      return error.code;
    }
  }
  return 'none';
};
