/**
 * Random sequences of everything that moves heads, against plain maps. After each step the repository verifies, a
 * repair finds nothing to do, and garbage is collected. The ref that an import or a reset keeps is read again.
 */
import { expect, test } from 'vitest';
import { isRepoError } from '../../../src/core/errors.ts';
import { repoOver } from '../../../src/core/repo/local-repo.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { MemoryBlobStore } from '../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../src/core/storage/memory-block-store.ts';
import { listOf } from '../../../src/core/data/list-of.ts';
import { DID, KEY, POST, post } from '../../../src/testing/repo/harness.ts';
import { seeded } from '../../random/seeded.ts';

type Model = ReadonlyMap<string, string>;

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];

const newRepo = (): Repo =>
  repoOver({ did: DID, signer: KEY, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });

const read = async (from: Pick<Repo, 'list'>): Promise<Map<string, string>> =>
  new Map((await listOf(from.list(POST))).map(({ rkey, value }) => [rkey, String(value['text'])]));

/** One repository under test, its account's host, and the expected content of both. */
class World {
  readonly repo: Repo = newRepo();
  readonly host: Repo = newRepo();
  readonly #random: () => number;
  head: Model = new Map();
  branch: Model | undefined;
  /** By rev, as far as the history goes back. */
  readonly history = new Map<string, Model>();
  count = 0;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** An edit of one key, on a map and on a repository or branch. */
  async edit(model: Model, target: Pick<Repo, 'delete' | 'put'>): Promise<Model> {
    const after = new Map(model);
    const key = this.pick(KEYS);
    if (this.below(4) === 0) {
      after.delete(key);
      await target.delete(POST, key);
    } else {
      const text = `text ${this.count++}`;
      after.set(key, text);
      await target.put(POST, key, post(text));
    }
    return after;
  }

  async checkAll(): Promise<void> {
    const head = await this.repo.head();
    if (head !== undefined) {
      this.history.set(head.rev, this.head);
    }
  }
}

const steps: Readonly<Record<string, (world: World) => Promise<void>>> = {
  async write(world) {
    world.head = await world.edit(world.head, world.repo);
  },
  async writeAtHost(world) {
    await world.edit(new Map(), world.host);
  },
  async import(world) {
    if ((await world.host.head()) === undefined) {
      return;
    }
    const before = world.head;
    try {
      const { kept } = await world.repo.importCar(world.host.exportCar(), { key: KEY.did!() });
      world.head = await read(world.host);
      if (kept !== undefined) {
        expect(await read(await world.repo.checkout(kept.ref))).toEqual(before);
        for (const { path } of kept.paths) {
          const key = path.split('/')[1]!;
          expect(world.head.get(key)).not.toBe(before.get(key));
        }
      }
    } catch (error) {
      expect(isRepoError(error, 'OutdatedRev')).toBe(true);
    }
  },
  async reset(world) {
    const revs = (await listOf(world.repo.log())).map(({ rev }) => rev);
    if (revs.length === 0) {
      return;
    }
    const before = world.head;
    const rev = world.pick(revs);
    const { ref } = await world.repo.reset(rev);
    world.head = world.history.get(rev)!;
    if (ref !== undefined) {
      expect(await read(await world.repo.checkout(ref))).toEqual(before);
    }
  },
  async branch(world) {
    world.branch = await world.edit(world.branch ?? world.head, world.repo.branch('draft'));
    // A deletion without effect does not start the branch.
    world.branch = (await world.repo.branch('draft').head()) === undefined ? undefined : world.branch;
  },
  async discard(world) {
    expect(await world.repo.branch('draft').discard()).toBe(world.branch !== undefined);
    world.branch = undefined;
  },
  async recommit(world) {
    if ((await world.repo.head()) !== undefined) {
      await world.repo.recommit({ rev: 'now' });
    }
  },
  async gc(world) {
    await world.repo.gc({ keep: 1 + world.below(4) });
  },
};

test.each([1, 2, 3, 4, 5, 6, 7, 8])('a random sequence, seed %i', async (seed) => {
  const world = new World(seed);
  const { repo } = world;
  for (let i = 0; i < 60; i++) {
    const name = world.pick(Object.keys(steps));
    await steps[name]!(world);
    await world.checkAll();
    const { faults } = await repo.verify();
    expect(faults, `${i} ${name}`).toEqual([]);
    const repaired = await repo.repair();
    expect([repaired.whole, repaired.steps], `${i} ${name}`).toEqual([true, []]);
    await repo.gc({ keep: 5 });
    expect(await read(repo), `${i} ${name}`).toEqual(world.head);
    if (world.branch !== undefined) {
      expect(await read(repo.branch('draft')), `${i} ${name}`).toEqual(world.branch);
    }
  }
});
