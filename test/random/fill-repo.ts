/** Fills a repository with a random history: writes, branches, refs, local work on an imported head, resets, blobs. */
import { listOf } from '../../src/core/data/list-of.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import { KEY, POST, post } from '../../src/testing/repo/harness.ts';
import { seeded } from './seeded.ts';

/** The repository has the signer `KEY`. */
export const fillRepo = async (repo: Repo, seed: number, steps = 40): Promise<void> => {
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const host = repoOver({ did: repo.did, signer: KEY, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
  const anyKey = (): string => `key-${below(60)}`;
  const edit = (target: Pick<Repo, 'delete' | 'put'>, step: number) =>
    below(5) === 0
      ? target.delete(POST, anyKey())
      : target.put(POST, anyKey(), post(`text ${step}`), { message: below(2) === 0 ? `step ${step}` : undefined });
  const actions: ((step: number) => Promise<unknown>)[] = [
    (step) => edit(repo, step),
    (step) => edit(repo, step),
    (step) => edit(repo.branch('draft'), step),
    (step) => edit(host, step),
    async (step) => {
      await host.put(POST, anyKey(), post(`host ${step}`));
      await repo.importCar(host.exportCar(), { key: KEY.did(), rollback: true });
    },
    (step) => repo.meta.set(`app:value:${below(5)}`, `value ${step}`),
    async (step) => {
      const head = await repo.head();
      return head && repo.setRef(`ref-${below(3)}`, step % 2 === 0 ? head.cid : head.rev);
    },
    async (step) => {
      const bytes = Uint8Array.from({ length: below(50_000) }, () => below(256));
      const blob = await repo.putBlob(bytes, { mimeType: below(2) === 0 ? `image/${step}` : undefined });
      await repo.put(POST, anyKey(), { ...post(`blob ${step}`), blob });
    },
    async () => {
      const revs = (await listOf(repo.log())).map(({ rev }) => rev);
      return revs.length === 0 ? undefined : repo.reset(revs[below(revs.length)]!);
    },
    async () => below(3) === 0 && repo.gc({ keep: 1 + below(8) }),
  ];
  await repo.put(POST, 'first', post('first'), { message: 'the first' });
  for (let step = 0; step < steps; step++) {
    await actions[below(actions.length)]!(step);
  }
  await host.close();
};
