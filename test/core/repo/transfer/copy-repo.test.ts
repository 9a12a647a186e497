/** `copyRepo` between stores in memory: what it copies, and what a failure leaves. */
import { describe, expect, test } from 'vitest';
import { listOf } from '../../../../src/core/data/list-of.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import { readOnlyRepo } from '../../../../src/core/repo/read-only.ts';
import type { Repo } from '../../../../src/core/repo/repo.ts';
import { openCar } from '../../../../src/core/repo/transfer/open-car.ts';
import type { CopyResult } from '../../../../src/core/repo/transfer/copy/copy-repo.ts';
import { copyRepo } from '../../../../src/core/repo/transfer/copy/copy-repo.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import type { BlockChange } from '../../../../src/core/storage/ports.ts';
import { DID, KEY, OTHER_DID, POST, post } from '../../../../src/testing/repo/harness.ts';
import { fillRepo } from '../../../random/fill-repo.ts';
import { contentOf } from '../../../random/repo-content.ts';
import { seeded } from '../../../random/seeded.ts';

/** A store whose change fails at a step. */
class BreakingStore extends MemoryBlockStore {
  failAt: number | undefined;
  steps = 0;

  override transact<T>(run: (change: BlockChange) => Promise<T>): Promise<T> {
    return super.transact((change) => {
      const steps = new Set<string | symbol>(['put', 'setRef', 'setMeta', 'addCommit']);
      const step = (name: string | symbol): void => {
        if (steps.has(name)) {
          this.steps += 1;
          if (this.steps === this.failAt) {
            throw new Error('the disk has failed');
          }
        }
      };
      return run(
        new Proxy(change, {
          get(target, name) {
            step(name);
            const value: unknown = Reflect.get(target, name);
            return typeof value === 'function' ? value.bind(target) : value;
          },
        }),
      );
    });
  }
}

interface Place {
  readonly repo: Repo;
  readonly store: BreakingStore;
  readonly blobs: MemoryBlobStore;
}

const newPlace = (did: string = DID): Place => {
  const [store, blobs] = [new BreakingStore(), new MemoryBlobStore()];
  return { repo: repoOver({ did, signer: KEY, store, blobs }), store, blobs };
};

const filled = async (seed: number, steps?: number): Promise<Place> => {
  const place = newPlace();
  await fillRepo(place.repo, seed, steps);
  return place;
};

const rowsOf = async ({ store }: Place): Promise<unknown> => ({
  meta: await listOf(store.metaEntries()),
  refs: (await listOf(store.refs())).map(([name, cid]) => [name, String(cid)]),
  commits: (await listOf(store.commits())).map(([rev, cid]) => [rev, String(cid)]),
});

const isVacant = async ({ store }: Place): Promise<boolean> =>
  (await store.count()) === 0 &&
  (await listOf(store.refs())).length + (await listOf(store.commits())).length === 0 &&
  (await listOf(store.metaEntries())).length === 0;

describe('a copy', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('of a random repository is equal, seed %i', async (seed) => {
    const from = await filled(seed);
    const to = newPlace();
    const result = await copyRepo(from.repo, to.repo);
    expect(await rowsOf(to)).toEqual(await rowsOf(from));
    expect(await contentOf(to.repo)).toEqual(await contentOf(from.repo));
    const { records, commits, blobs, blocks } = await to.repo.info();
    expect(result).toMatchObject({ records, commits, blobs, blocks, refs: (await from.repo.refs()).size });
    expect([String(result.head), result.rev]).toEqual([
      String((await from.repo.head())?.cid),
      (await from.repo.head())?.rev,
    ]);
    // The copy has what `gc` keeps of the source.
    await from.repo.gc({ keep: 1e9 });
    expect(result.blocks).toBe(await from.store.count());
    // Both continue in the same way.
    for (const { repo } of [from, to]) {
      await repo.put(POST, 'later', post('later'));
      await repo.branch('draft').rebase();
    }
    expect((await to.repo.verify({ key: KEY.did() })).faults).toEqual([]);
    expect(await listOf(to.repo.list())).toEqual(await listOf(from.repo.list()));
  });

  test('keeps local work on an imported head, whose kept ref may lack blocks', async () => {
    const [host, from, to] = [newPlace(), newPlace(), newPlace()];
    await host.repo.put(POST, 'a', post('host'));
    await from.repo.importCar(host.repo.exportCar(), { key: KEY.did() });
    await from.repo.put(POST, 'b', post('local'));
    await host.repo.put(POST, 'a', post('host again'));
    await host.repo.put(POST, 'a', post('host, later'));
    const { kept } = await from.repo.importCar(host.repo.exportCar(), { key: KEY.did(), rollback: true });
    const { value } = (await (await from.repo.checkout(kept!.ref)).get(POST, 'b'))!;
    const lost = (await (await from.repo.checkout(kept!.ref)).get(POST, 'b'))!.cid;
    expect(value['text']).toBe('local');
    await from.store.transact((change) => change.remove([lost]));
    await copyRepo(from.repo, to.repo);
    expect(await rowsOf(to)).toEqual(await rowsOf(from));
    expect(await to.store.count()).toBe(await from.store.count());
  });

  test('of a repository without commits has its values', async () => {
    const [from, to] = [newPlace(), newPlace()];
    await from.repo.meta.set('app:x', '1');
    await from.repo.putBlob(Uint8Array.of(1, 2), { mimeType: 'image/png' });
    expect(await copyRepo(from.repo, to.repo)).toEqual({
      head: undefined,
      rev: undefined,
      records: 0,
      commits: 0,
      refs: 0,
      blocks: 0,
      blobs: 1,
      bytes: 2,
    } satisfies CopyResult);
    expect(await contentOf(to.repo)).toEqual(await contentOf(from.repo));
  });

  test('of a CAR, and of a repository that is open for reading', async () => {
    const from = await filled(3);
    const [fromCar, fromReader] = [newPlace(), newPlace()];
    await copyRepo(await openCar(from.repo.exportCar()), fromCar.repo);
    expect(await listOf(fromCar.repo.list())).toEqual(await listOf(from.repo.list()));
    expect(await fromCar.repo.head()).toEqual(await from.repo.head());
    await copyRepo(readOnlyRepo(from.repo), fromReader.repo);
    expect(await contentOf(fromReader.repo)).toEqual(await contentOf(from.repo));
  });

  test('without blobs lists them as missing, also for the next pull', async () => {
    const [from, to, all] = [newPlace(), newPlace(), newPlace()];
    const blob = await from.repo.putBlob(Uint8Array.of(1), { mimeType: 'image/png' });
    await from.repo.put(POST, 'a', { ...post('a'), blob }, { meta: { 'app:sync:blobs': 'x', 'app:y': 'y' } });
    expect(await copyRepo(from.repo, to.repo, { blobs: false })).toMatchObject({ blobs: 0 });
    expect((await listOf(to.repo.missingBlobs())).map(({ cid }) => String(cid))).toEqual([String(blob.ref)]);
    expect(await listOf(to.repo.meta.list())).toEqual([['app:y', 'y']]);
    // A store that both share has the blobs.
    await all.repo.putBlob(Uint8Array.of(1));
    expect(await copyRepo(from.repo, all.repo, { blobs: false })).toMatchObject({ blobs: 1 });
    expect(await contentOf(all.repo)).toEqual(await contentOf(from.repo));
  });

  test('is of one state, while the source is written to and garbage is collected', async () => {
    const from = await filled(5);
    const to = newPlace();
    const before = await contentOf(from.repo);
    const writes: Promise<unknown>[] = [];
    await copyRepo(from.repo, to.repo, {
      onProgress: () => {
        if (writes.length < 20) {
          writes.push(
            from.repo
              .put(POST, 'first', post(`meanwhile ${writes.length}`))
              .then(() => from.repo.gc({ keep: 1, blobs: true, blobAge: 0 })),
          );
        }
      },
    });
    await Promise.all(writes);
    expect(writes.length).toBeGreaterThan(1);
    expect(await contentOf(to.repo)).toEqual(before);
    expect(await contentOf(from.repo)).not.toEqual(before);
    // Nothing stays pinned.
    await from.repo.gc({ keep: 1 });
    const opened = repoOver({ did: DID, store: from.store, blobs: from.blobs });
    expect(await opened.gc({ keep: 1, dryRun: true })).toMatchObject({ blocks: 0, commits: 0 });
  });

  test('notifies the listeners of the target, and counts its progress', async () => {
    const from = await filled(6);
    const to = newPlace();
    const heads: string[] = [];
    to.repo.onChange(({ cid, created }) => heads.push(`${cid} ${created.length}`));
    const seen: { phase: string; bytes: number; blocks: number; records: number }[] = [];
    const { blocks, bytes, records } = await copyRepo(from.repo, to.repo, { onProgress: (one) => seen.push(one) });
    expect(heads).toEqual([`${(await from.repo.head())?.cid} ${records}`]);
    expect(seen.at(-1)).toEqual({ phase: 'write', bytes, blocks, records });
    expect(seen.every(({ bytes: now }, i) => i === 0 || now >= seen[i - 1]!.bytes)).toBe(true);
  });
});

describe('a copy that fails', () => {
  test('at any step leaves an empty target, which can be copied to', async () => {
    const from = await filled(7, 25);
    const counting = newPlace();
    await copyRepo(from.repo, counting.repo);
    const { steps } = counting.store;
    expect(steps).toBeGreaterThan(10);
    for (let failAt = 1; failAt <= steps; failAt++) {
      const to = newPlace();
      to.store.failAt = failAt;
      await expect(copyRepo(from.repo, to.repo)).rejects.toThrow('the disk has failed');
      expect(await isVacant(to), `step ${failAt}`).toBe(true);
      to.store.failAt = undefined;
      await copyRepo(from.repo, to.repo);
      expect(await rowsOf(to)).toEqual(await rowsOf(from));
    }
  });

  test('because it was aborted at any moment leaves an empty target, and the next one copies fewer bytes', async () => {
    const from = await filled(8, 60);
    const { bytes } = await copyRepo(from.repo, newPlace().repo);
    let calls = 0;
    await copyRepo(from.repo, newPlace().repo, { onProgress: () => void (calls += 1) });
    let isShorter = false;
    const random = seeded(8);
    for (let round = 0; round < 20; round++) {
      const at = 1 + Math.floor(random() * (calls - 1));
      const to = newPlace();
      const abort = new AbortController();
      let seen = 0;
      const copying = copyRepo(from.repo, to.repo, {
        signal: abort.signal,
        onProgress: () => void (++seen === at && abort.abort(new Error('enough'))),
      });
      await expect(copying, `call ${at} of ${calls}`).rejects.toThrow('enough');
      expect(await isVacant(to)).toBe(true);
      const again = await copyRepo(from.repo, to.repo);
      isShorter ||= again.bytes < bytes;
      expect(await contentOf(to.repo)).toEqual(await contentOf(from.repo));
    }
    expect(isShorter).toBe(true);
    const before = newPlace();
    await expect(copyRepo(from.repo, before.repo, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow(
      'no',
    );
  });

  test.each(['node', 'record', 'commit'])('because a %s of the source is damaged or missing', async (what) => {
    for (const code of ['Corrupt', 'BlockNotFound']) {
      const from = await filled(9);
      const to = newPlace();
      const head = (await from.repo.head())!;
      const [record] = await listOf(from.repo.list());
      const cid = { node: head.data, record: record!.cid, commit: head.cid }[what]!;
      const bytes = new Uint8Array((await from.store.get(cid))!);
      bytes[bytes.length - 1]! ^= 1;
      await from.store.transact((change) => change.remove([cid]));
      if (code === 'Corrupt') {
        await from.store.transact((change) => change.put([{ cid, bytes }]));
      }
      // As after opening again.
      const opened = repoOver({ did: DID, store: from.store, blobs: from.blobs });
      await expect(copyRepo(opened, to.repo)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(String(cid)) as string,
      });
      expect(await isVacant(to)).toBe(true);
    }
  });

  test('because a blob of the source is damaged', async () => {
    const from = newPlace();
    const { ref } = await from.repo.putBlob(Uint8Array.of(1, 2, 3));
    await from.repo.put(POST, 'a', post('a'));
    const get = from.blobs.get.bind(from.blobs);
    from.blobs.get = async (cid) => (await get(cid)) && new Blob([Uint8Array.of(1, 2, 4)]);
    const to = newPlace();
    await expect(copyRepo(from.repo, to.repo)).rejects.toMatchObject({
      code: 'Corrupt',
      message: expect.stringContaining(String(ref)) as string,
    });
    expect(await isVacant(to)).toBe(true);
    expect(await listOf(to.blobs.list())).toEqual([]);
    from.blobs.get = async () => undefined;
    await expect(copyRepo(from.repo, to.repo)).rejects.toMatchObject({ code: 'BlobNotFound' });
  });

  test('because another process removed blocks of the source, says so', async () => {
    const from = await filled(10);
    const beside = repoOver({ did: DID, signer: KEY, store: from.store, blobs: from.blobs });
    const to = newPlace();
    let swept: Promise<unknown> | undefined;
    const blobs = new Proxy(to.blobs, {
      get(target, name) {
        if (name !== 'list') {
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        }
        return async function* () {
          swept ??= beside.put(POST, 'first', post('beside')).then(() => beside.gc({ keep: 1 }));
          await swept;
          yield* target.list();
        };
      },
    });
    const target = repoOver({ did: DID, store: to.store, blobs });
    await expect(copyRepo(from.repo, target)).rejects.toMatchObject({ code: 'Locked' });
    expect(await isVacant(to)).toBe(true);
  });
});

describe('the target of a copy', () => {
  test.each<[string, RegExp, (place: Place) => Promise<unknown>]>([
    ['a commit', /found ref=main cid=bafy/, ({ repo }) => repo.put(POST, 'x', post('x'))],
    ['a value', /found meta=app:x/, ({ repo }) => repo.meta.set('app:x', '1')],
    ['a blob', /found blob=bafk/, ({ repo }) => repo.putBlob(Uint8Array.of(9, 9, 9))],
    [
      'a block',
      /found block=bafy/,
      async (place) => {
        const other = await filled(1, 0);
        const { cid } = (await other.repo.head())!;
        const bytes = (await other.store.get(cid))!;
        await place.store.transact((change) => change.put([{ cid, bytes }]));
      },
    ],
  ])('is refused if it has %s', async (_, message, give) => {
    const from = await filled(1, 3);
    const to = newPlace();
    await give(to);
    const before = await contentOf(to.repo);
    await expect(copyRepo(from.repo, to.repo)).rejects.toMatchObject({
      code: 'RepoExists',
      message: expect.stringMatching(message) as string,
    });
    expect(await contentOf(to.repo)).toEqual(before);
  });

  test('is refused if it is of another account, open for reading, closed, or in a worker', async () => {
    const from = await filled(1, 3);
    const code = async (to: Repo): Promise<unknown> =>
      copyRepo(from.repo, to).catch((error: unknown) => (error as { code: unknown }).code);
    expect(await code(newPlace(OTHER_DID).repo)).toBe('WrongDid');
    expect(await code(readOnlyRepo(newPlace().repo))).toBe('ReadOnly');
    const closed = newPlace();
    await closed.repo.close();
    expect(await code(closed.repo)).toBe('Closed');
    expect(await code({ did: DID } as Repo)).toBe('Unsupported');
  });
});
