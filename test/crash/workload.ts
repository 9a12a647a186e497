/**
 * Workloads on a repository while the disk keeps its log: all operations that change it, in an order given by a seed.
 */
import { CID } from 'multiformats/cid';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import type { Repo, WriteOp } from '../../src/core/repo/repo.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import { readAll } from '../../src/core/data/streams.ts';
import { randomWrites } from '../random/random-writes.ts';
import { seeded } from '../random/seeded.ts';
import type { Place } from './place.ts';
import { NOTHING, readState } from './repo-state.ts';
import type { RepoState } from './repo-state.ts';

export const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
const WITH_BLOB = 'com.example.picture';
const IMPORTED = 'com.example.imported';
const AT_ONCE = 'com.example.atonce';

/** A repository, open or closed, and its storage. */
export class Session {
  readonly place: Place;
  #repo: Repo | undefined;

  constructor(place: Place) {
    this.place = place;
  }

  get isOpen(): boolean {
    return this.#repo !== undefined;
  }

  get repo(): Repo {
    if (this.#repo === undefined) {
      throw new Error('the workload uses a repository that is not open');
    }
    return this.#repo;
  }

  async open(did?: string): Promise<void> {
    this.#repo = await this.place.open(did);
  }

  async close(): Promise<void> {
    const repo = this.repo;
    this.#repo = undefined;
    await repo.close();
  }

  /** Kills the process in the middle of its work. */
  async kill(): Promise<void> {
    this.place.kill();
    // Frees the memory of SQLite. Its writes do not reach the disk.
    await this.#repo?.close().catch(() => undefined);
    this.#repo = undefined;
  }
}

export interface Step {
  readonly name: string;
  run(session: Session): Promise<unknown>;
}

/** Runs the steps and marks each in the log. Returns the state before the first step and after each step. */
export const record = async (
  session: Session,
  steps: readonly Step[],
  before: RepoState = NOTHING,
): Promise<RepoState[]> => {
  const states = [before];
  for (const [i, step] of steps.entries()) {
    session.place.mark('start', i + 1);
    await step.run(session);
    session.place.mark('ack', i + 1);
    states.push(session.isOpen ? await readState(session.repo) : states[i]!);
  }
  return states;
};

const step = (name: string, run: (session: Session) => Promise<unknown>): Step => ({ name, run });

export const create: Step = step('create', (session) => session.open(DID));
export const open: Step = step('open', (session) => session.open());
export const close: Step = step('close', (session) => session.close());

const reopen = step('close and open', async (session) => {
  await session.close();
  await session.open();
});
const killAndReopen = step('kill and open', async (session) => {
  await session.kill();
  await session.open();
});

/** One commit, with a record that no other step writes. */
export const oneMore = (rkey: string): Step =>
  step('one more commit', ({ repo }) => repo.put('com.example.next', rkey, { $type: 'com.example.next', text: 'x' }));

/** Writes to a copy of the repository, and imports the CAR of the copy. */
const importCar = (random: () => number): Step =>
  step('import', async ({ repo }) => {
    const other = repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
    await other.importCar(await readAll(repo.exportCar()), { allowUnsigned: true });
    const before = await repo.head();
    const ops = Array.from(
      { length: 1 + Math.floor(random() * 40) },
      (_, i): WriteOp => ({
        action: 'create',
        collection: IMPORTED,
        rkey: `${before!.rev}-${i}`,
        value: { $type: IMPORTED, text: 'y'.repeat(Math.floor(random() * 100)) },
      }),
    );
    await other.write(ops);
    await repo.importCar(await readAll(other.exportCar()), { allowUnsigned: true });
    await other.close();
  });

/**
 * Returns the steps of a seed, from the creation to the closing. Each seed has every kind of step, in another order.
 */
export const workload = (seed: number): Step[] => {
  const random = seeded(seed);
  const writes = randomWrites(random, new Map());
  let named = 0;
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const write = (count: number): Step => {
    const message = random() < 0.3 ? `number ${named++}` : undefined;
    // One after the other, because each step depends on the previous ones.
    return step(`write ${count}`, ({ repo }) =>
      repo.write(
        Array.from({ length: count }, () => writes.next().value!.op as WriteOp),
        { message },
      ),
    );
  };
  /** Puts that do not wait for each other share a sync: a cut leaves all of them, or none. */
  const putAtOnce = (count: number): Step =>
    step(`put ${count} at once`, ({ repo }) =>
      Promise.all(
        Array.from({ length: count }, (_, i) =>
          repo.put(AT_ONCE, `key${i}`, { $type: AT_ONCE, text: `${i} `.repeat(i) }),
        ),
      ),
    );
  const putBlob = (key: number): Step => {
    const bytes = Uint8Array.from({ length: Math.floor(random() * 9000) }, () => random() * 256);
    return step('put a blob', ({ repo }) =>
      repo.putBlob(bytes, { mimeType: key % 2 === 0 ? 'image/png' : 'text/plain' }),
    );
  };
  /** A record that mentions every stored blob. */
  const mention = (key: number): Step =>
    step('mention blobs', async ({ repo }) => {
      const pictures: unknown[] = [];
      for await (const { cid, size, mimeType } of repo.blobs()) {
        pictures.push({ $type: 'blob', ref: CID.decode(cid.bytes), mimeType: mimeType ?? 'image/png', size });
      }
      await repo.put(WITH_BLOB, `key${key}`, { $type: WITH_BLOB, pictures });
    });
  const forget = (key: number): Step => step('forget blobs', ({ repo }) => repo.delete(WITH_BLOB, `key${key}`));
  const tag = (name: string): Step => step('tag', async ({ repo }) => repo.setRef(name, (await repo.head())!.cid));
  const untag = (name: string): Step => step('untag', ({ repo }) => repo.removeRef(name));
  const collect = (keep: number): Step =>
    step(`gc, keep ${keep}`, ({ repo }) => repo.gc({ keep, blobs: true, blobAge: 0 }));

  const compact = step('gc and compact', ({ repo }) => repo.gc({ keep: 2, compact: true }));

  const middle = [
    [write(30), compact, write(1)],
    [write(60)],
    [write(1 + Math.floor(random() * 20)), write(1)],
    [putBlob(1), mention(1), write(2), forget(1), putBlob(2), collect(2)],
    [putBlob(3), putBlob(4), mention(2)],
    [tag('kept'), write(3), collect(1), untag('kept')],
    [write(5), importCar(random)],
    [putAtOnce(2 + Math.floor(random() * 20)), write(1)],
    [write(1), reopen],
    [write(2), killAndReopen],
  ];
  const ordered = middle.map((steps) => ({ steps, at: random() })).sort((a, b) => a.at - b.at);
  return [
    create,
    pick([write(1), putBlob(0)]),
    write(2),
    ...ordered.flatMap(({ steps }) => steps),
    pick([reopen, killAndReopen]),
    write(1),
    close,
  ];
};
