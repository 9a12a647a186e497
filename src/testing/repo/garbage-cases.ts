/** Test cases of every repository: `gc` with concurrent readers and new blobs. */
import { readAll } from '../../core/data/streams.ts';
import type { Repo } from '../../core/repo/repo.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, rejectionOf, assertRejects } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { RepoHarness } from './harness.ts';
import { AT_ONCE, DID, KEY, POST, creates, describe, over, post, rkeyOf } from './harness.ts';

const COUNT = 400;

/** Replaces every record, so that the old state shares no block with the head, and removes the old state. */
const replaceAll = async (repo: Repo, name: string): Promise<void> => {
  const ops = Array.from({ length: COUNT }, (_, i) => ({
    action: 'update' as const,
    collection: POST,
    rkey: rkeyOf(i),
    value: post(`${name} ${i}`),
  }));
  await repo.write(ops);
  await repo.gc(AT_ONCE);
};

/** Reads one entry, runs `meanwhile`, and reads the rest. */
const readAround = async <T>(list: AsyncIterable<T>, meanwhile: () => Promise<void>): Promise<T[]> => {
  const entries: T[] = [];
  for await (const entry of list) {
    if (entries.length === 0) {
      await meanwhile();
    }
    entries.push(entry);
  }
  return entries;
};

const isSound = async (repo: Repo): Promise<void> => {
  const { ok, faults } = await repo.verify();
  assert(ok, `the repository is sound; first fault: ${faults[0]?.message}`);
};

export const repoGarbageCases: readonly Case<RepoHarness>[] = [
  over('a list shows one state to its end during gc', async (repo) => {
    await repo.write(creates(COUNT));
    const records = await readAround(repo.list(POST), () => replaceAll(repo, 'new'));
    assertEqual(
      records.map(({ value }) => value.text),
      Array.from({ length: COUNT }, (_, i) => `post ${i}`),
      'the texts',
    );
    await repo.gc(AT_ONCE);
    await isSound(repo);
  }),

  over('the lists of a tree continue during gc', async (repo) => {
    await repo.write(creates(COUNT));
    const tree = await repo.checkout();
    const records = await readAround(tree.list(POST, { reverse: true }), () => replaceAll(repo, 'new'));
    assertEqual(records.map(({ value }) => value.text).at(-1), 'post 0', 'the last record');
    assertEqual(records.length, COUNT, 'records');
    const later = await (await repo.checkout()).put(POST, 'more', post('more'));
    const entries = await readAround(later.entries(), () => replaceAll(repo, 'newer'));
    assertEqual(entries.length, COUNT + 1, 'entries of an edited tree');
    await isSound(repo);
  }),

  over('a diff continues to its end during gc', async (repo) => {
    const first = await repo.write(creates(COUNT));
    await repo.write(creates(COUNT, COUNT));
    const changes = await readAround(repo.diff(first.rev), () => replaceAll(repo, 'new'));
    assertEqual([changes.length, changes.at(-1)?.rkey], [COUNT, rkeyOf(2 * COUNT - 1)], 'changes');
    await isSound(repo);
  }),

  over('a log shows the remaining commits during gc', async (repo) => {
    for (let i = 0; i < 5; i++) {
      await repo.put(POST, 'a', post(`${i}`));
    }
    const revs = (await readAround(repo.log(), async () => void (await repo.gc(AT_ONCE)))).map(({ rev }) => rev);
    assertEqual(revs[0], (await repo.head())?.rev, 'the newest commit');
    await isSound(repo);
  }),

  over('an export is complete when gc runs in its middle, also one since a rev', async (repo, harness) => {
    const base = await repo.write(creates(COUNT));
    const copy = await harness.other().create({ did: DID });
    await copy.importCar(repo.exportCar());
    await repo.write(
      Array.from({ length: COUNT }, (_, i) => ({
        action: 'update' as const,
        collection: POST,
        rkey: rkeyOf(i),
        value: post(`second ${i} ${'x'.repeat(1000)}`),
      })),
    );
    const head = await repo.head();
    const half = async (stream: ReadableStream<Uint8Array>, name: string): Promise<Uint8Array> => {
      const reader = stream.getReader();
      const first = await reader.read();
      await replaceAll(repo, name);
      reader.releaseLock();
      const rest = await readAll(stream);
      const whole = new Uint8Array(first.value!.length + rest.length);
      whole.set(first.value!);
      whole.set(rest, first.value!.length);
      return whole;
    };
    const since = await half(repo.exportCar({ since: base.rev }), 'third');
    const result = await copy.importCar(since, { key: KEY.did!() });
    assertEqual([String(result.head), result.updated], [String(head?.cid), COUNT], 'what is new');
    const third = await repo.head();
    const full = await half(repo.exportCar(), 'fourth');
    assertEqual(String((await copy.importCar(full)).head), String(third?.cid), 'the whole');
    await copy.close();
    await repo.gc(AT_ONCE);
    await isSound(repo);
  }),

  over('gc removes the blocks of a reader after it has ended, also early', async (repo) => {
    await repo.write(creates(COUNT));
    for await (const _ of repo.list(POST)) {
      await replaceAll(repo, 'new');
      break;
    }
    const reader = repo.exportCar().getReader();
    await reader.read();
    await reader.cancel();
    await repo.gc(AT_ONCE);
    assertEqual((await repo.gc(AT_ONCE)).blocks, 0, 'blocks that are left to remove');
    const { blocks } = await repo.info();
    await replaceAll(repo, 'newer');
    assertEqual((await repo.info()).blocks, blocks, 'as many blocks as for the same records before');
  }),

  over('verify finds no fault during writes and gc', async (repo) => {
    await repo.write(creates(COUNT));
    const reports = [];
    for (let i = 0; i < 3; i++) {
      const checking = repo.verify();
      await replaceAll(repo, `turn ${i}`);
      reports.push(await checking);
    }
    assertEqual(
      reports.flatMap(({ faults }) => faults.map(({ message }) => message)),
      [],
      'faults',
    );
  }),

  over('gc keeps a blob for an hour, or for blobAge', async (repo) => {
    const image = await repo.putBlob(new Uint8Array([1, 2, 3]));
    assertEqual((await repo.gc({ ...AT_ONCE, blobs: true })).blobs, 0, 'a blob that a record is about to mention');
    await repo.put(POST, 'a', { ...post('a'), image });
    assertEqual(await listOf(repo.missingBlobs()), [], 'missing blobs');
    await repo.putBlob(new Uint8Array([4]));
    assertEqual((await repo.gc({ ...AT_ONCE, blobs: true, blobAge: 60_000 })).blobs, 0, 'younger than a minute');
    assertEqual((await repo.gc({ ...AT_ONCE, blobs: true, blobAge: 0 })).blobs, 1, 'of any age');
    assertEqual((await listOf(repo.blobs())).length, 1, 'the blob that a record mentions stays');
    for (const blobAge of [-1, Number.NaN, '1' as unknown as number]) {
      const error = await repo.gc({ ...AT_ONCE, blobs: true, blobAge }).catch((cause: unknown) => cause);
      assert((error as Error).name === 'TypeError', `blobAge=${blobAge} is a TypeError`);
    }
  }),

  over('a checked-out state that gc has removed cannot be read', async (repo) => {
    const { rev } = await repo.write(creates(3));
    await repo.put(POST, 'a', post('a'));
    await repo.gc(AT_ONCE);
    await assertRejects(() => repo.checkout(rev), 'RefNotFound', 'checkout of a removed commit');
  }),

  over('gc frees the space of removed blocks, and compaction frees more', async (repo) => {
    await repo.write(creates(2 * COUNT));
    const before = await repo.info();
    const deletes = Array.from({ length: COUNT }, (_, i) => ({
      action: 'delete' as const,
      collection: POST,
      rkey: rkeyOf(2 * i),
    }));
    await repo.write(deletes);
    const textsOf = async () => (await listOf(repo.list(POST))).map(({ value }) => value.text);
    const texts = await textsOf();
    const { bytes } = await repo.gc(AT_ONCE);
    const { size, free } = await repo.info();
    assert(size === undefined || (bytes > 0 && size < before.size! && free === 0), `bytes=${bytes} size=${size}`);
    const compacted = await repo.gc({ ...AT_ONCE, compact: true });
    assert(size === undefined || compacted.bytes > 0, `by compaction; bytes=${compacted.bytes}`);
    assertEqual([compacted.blocks, (await repo.gc({ ...AT_ONCE, compact: true })).bytes], [0, 0], 'a second time');
    assertEqual(await textsOf(), texts, 'the records');
    await repo.put(POST, 'after', post('after'));
    assertEqual((await repo.get(POST, 'after'))?.value.text, 'after', 'what is written next');
    await isSound(repo);
  }),

  over('readers and verify continue during compaction', async (repo) => {
    await repo.write(creates(COUNT));
    const checking = repo.verify();
    const records = await readAround(repo.list(POST), async () => void (await repo.gc({ ...AT_ONCE, compact: true })));
    assertEqual(records.length, COUNT, 'records of the list');
    assertEqual((await checking).ok, true, 'the check');
    await Promise.all([
      repo.put(POST, 'a', post('a')),
      repo.gc({ ...AT_ONCE, compact: true }),
      repo.put(POST, 'b', post('b')),
    ]);
    assertEqual((await listOf(repo.list(POST))).length, COUNT + 2, 'records, with those that were written meanwhile');
    await isSound(repo);
  }),

  over('a dry run of gc counts what it would remove, and an abort leaves everything', async (repo) => {
    await repo.write(creates(COUNT));
    await repo.put(POST, rkeyOf(1), post('changed'));
    await repo.putBlob(new Uint8Array([1, 2, 3]));
    const before = await describe(repo);
    const tried = await repo.gc({ ...AT_ONCE, dryRun: true, blobs: true, blobAge: 0, compact: true });
    assert(tried.blocks > 0, 'blocks to remove');
    assertEqual([tried.commits, tried.blobs, tried.bytes], [1, 1, 0], 'commits, blobs and bytes');
    assertEqual(await describe(repo), before, 'nothing has changed');
    const signal = AbortSignal.abort(new Error('enough'));
    const error = await rejectionOf(() => repo.gc({ ...AT_ONCE, signal }), 'an aborted gc');
    assertEqual((error as Error).message, 'enough', 'the reason');
    assertEqual(await describe(repo), before, 'nothing has changed after the abort');
    const phases: string[] = [];
    const done = await repo.gc({ ...AT_ONCE, blobs: true, blobAge: 0, onProgress: ({ phase }) => phases.push(phase) });
    assertEqual([done.blocks, done.commits, done.blobs], [tried.blocks, 1, 1], 'the same counts');
    assertEqual([phases[0], phases.at(-1)], ['verify', 'write'], 'progress');
    await isSound(repo);
  }),
];
