/** Test cases of every repository: the options of its methods, in a page and elsewhere. */
import { readAll } from '../../core/data/streams.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import type { ListOptions, Repo } from '../../core/repo/repo.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, rejectionOf, skip } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { RepoHarness } from './harness.ts';
import {
  AT_ONCE,
  DID,
  KEY,
  LIKE,
  OTHER_DID,
  OTHER_KEY,
  POST,
  creates,
  describe,
  over,
  post,
  rkeyOf,
} from './harness.ts';

/** More than two pages of a list between a page and a worker. */
const COUNT = 250;

const all = (from: number, until: number): string[] => Array.from({ length: until - from }, (_, i) => rkeyOf(from + i));

const isTypeError = async (run: () => Promise<unknown>, what: string): Promise<void> => {
  const error = await rejectionOf(run, what);
  assertEqual((error as Error).name, 'TypeError', what);
};

/** Returns a call with these options for every method that accepts a signal. */
const longWorks = (repo: Repo, car: Uint8Array): Readonly<Record<string, (work: LongWork) => Promise<unknown>>> => ({
  importCar: (work) => repo.importCar(car, work),
  exportCar: (work) => readAll(repo.exportCar(work)),
  verify: (work) => repo.verify(work),
  repair: (work) => repo.repair(work),
  backup: async (work) => {
    for await (const { content } of repo.backup(work)) {
      await readAll(content.stream());
    }
  },
});

export const repoOptionCases: readonly Case<RepoHarness>[] = [
  over('a list has at most `limit` records, in both directions, of one collection or all', async (repo) => {
    await repo.write([...creates(COUNT), { action: 'create', collection: LIKE, rkey: 'a', value: { subject: 'x' } }]);
    const rkeys = async (...args: Parameters<Repo['list']>): Promise<string[]> =>
      (await listOf(repo.list(...args))).map(({ rkey }) => rkey);
    for (const limit of [1, 99, 100, 101, 200, 249, 250, 251, 1_000]) {
      assertEqual(await rkeys(POST, { limit }), all(0, Math.min(limit, COUNT)), `limit ${limit}`);
      const last = all(Math.max(0, COUNT - limit), COUNT).reverse();
      assertEqual(await rkeys(POST, { limit, reverse: true }), last, `limit ${limit}, reversed`);
    }
    assertEqual(await rkeys(POST, { cursor: '' }), all(0, COUNT), 'an empty cursor');
    assertEqual(await rkeys(POST, { cursor: rkeyOf(120), limit: 110 }), all(121, 231), 'a cursor and a limit');
    assertEqual(await rkeys({ limit: 150 }), ['a', ...all(0, 149)], 'a limit over all collections');
    assertEqual(await rkeys({ cursor: `${POST}/${rkeyOf(9)}` }), all(10, COUNT), 'a cursor over all collections');
    const tree = await repo.checkout();
    const entries = (await listOf(tree.entries(undefined, { reverse: true, limit: 150 }))).map(({ rkey }) => rkey);
    assertEqual(entries, all(100, COUNT).reverse(), 'keys of a tree');
  }),

  over('a limit that is not an integer is a TypeError', async (repo) => {
    await repo.write(creates(3));
    const tree = await repo.checkout();
    for (const limit of [-1, 1.5, Number.NaN, Infinity, '2' as unknown as number]) {
      const options: ListOptions = { limit };
      await isTypeError(() => listOf(repo.list(POST, options)), `limit ${limit}`);
      await isTypeError(() => listOf(tree.entries(POST, options)), `limit ${limit} of a tree`);
      await isTypeError(() => listOf(repo.branch('draft').list(options)), `limit ${limit} of a branch`);
    }
  }),

  over('verify checks the same with and without options', async (repo) => {
    const { rev } = await repo.write(creates(3));
    await repo.setRef('tag', rev);
    await repo.write(creates(2, 3));
    const plain = await repo.verify();
    assertEqual([plain.ok, plain.signature, plain.records], [true, 'unchecked', 5], 'without options');
    for (const options of [{}, { key: undefined }, { at: undefined }]) {
      assertEqual(
        JSON.stringify(await repo.verify(options)),
        JSON.stringify(plain),
        `options ${JSON.stringify(options)}`,
      );
    }
    for (const at of [rev, 'tag', (await repo.refs()).get('tag')!]) {
      const report = await repo.verify({ at });
      assertEqual([report.ok, report.signature, report.records], [true, 'unchecked', 3], `at ${String(at)}`);
    }
    const signed = async (key: string): Promise<unknown> => (await repo.verify({ key, at: rev })).signature;
    assertEqual([await signed(KEY.did!()), await signed(OTHER_KEY.did!())], ['valid', 'invalid'], 'a key');
    await assertRejects(() => repo.verify({ key: 'no key' }), 'UnknownKey', 'an invalid key');
    await assertRejects(() => repo.verify({ at: 'nowhere' }), 'RefNotFound', 'an unknown ref');
  }),

  over('an aborted signal rejects with its reason, and nothing changes', async (repo, harness) => {
    await repo.write(creates(3));
    const car = await readAll(repo.exportCar());
    const reason = new Error('enough');
    const works = longWorks(repo, car);
    for (const [name, run] of Object.entries(works)) {
      if (name !== 'backup' || harness.noFiles === undefined) {
        const error = await rejectionOf(() => run({ signal: AbortSignal.abort(reason) }), name);
        assert(error === reason, `${name} rejects with the reason; error=${String(error)}`);
      }
    }
    assertEqual((await repo.info()).records, 3, 'records');
  }),

  over('long work reports its progress, with rising counts', async (repo, harness) => {
    await repo.write(creates(COUNT));
    const car = await readAll(repo.exportCar());
    const copy = await harness.other().create({ did: DID });
    const works = { ...longWorks(repo, car), importCar: longWorks(copy, car)['importCar']! };
    for (const [name, run] of Object.entries(works)) {
      if (name === 'backup' && harness.noFiles !== undefined) {
        continue;
      }
      const phases = new Set<string>();
      let last = 0;
      await run({
        onProgress: ({ phase, bytes }) => {
          phases.add(phase);
          assert(bytes >= last, `${name}: bytes rise`);
          last = bytes;
        },
      });
      assert(last > 0, `${name} tells`);
      if (name === 'backup') {
        assertEqual([...phases], ['verify', 'write'], 'the phases of a backup');
      }
    }
    await copy.close();
  }),

  over('a backup stops within a file when its signal aborts', async (repo, harness) => {
    if (harness.noFiles !== undefined) {
      return skip('the storage has no files');
    }
    await repo.putBlob(new Uint8Array(3_000_000));
    const stop = new AbortController();
    const reason = new Error('enough');
    const error = await rejectionOf(async () => {
      for await (const { path, content } of repo.backup({ signal: stop.signal })) {
        const reader = content.stream().getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
          if (path.startsWith('blobs/')) {
            stop.abort(reason);
          }
        }
      }
    }, 'an aborted backup');
    assert(error === reason, `the reason comes out; error=${String(error)}`);
    for await (const { content } of repo.backup({ damaged: true })) {
      await readAll(content.stream());
    }
  }),

  over('an import has the limits of its options', async (repo, harness) => {
    await repo.write(creates(20));
    const car = await readAll(repo.exportCar());
    const copy = await harness.other().create({ did: DID });
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      const buffer = new Uint8Array(64);
      for (let at = 0; at < car.length; at += buffer.length) {
        const chunk = car.subarray(at, at + buffer.length);
        // The memory of a chunk is used again for the next one.
        buffer.set(chunk);
        yield buffer.subarray(0, chunk.length);
      }
    };
    for (const limit of [{ maxSize: 100 }, { maxBlocks: 2 }, { maxBlockSize: 10 }]) {
      const name = Object.keys(limit).join();
      await assertRejects(() => copy.importCar(car, limit), 'LimitExceeded', name);
      await assertRejects(() => copy.importCar(chunks(), limit), 'LimitExceeded', `${name} of a stream`);
    }
    await assertRejects(() => copy.importCar(car, { did: OTHER_DID }), 'WrongDid', 'another account');
    await assertRejects(() => copy.importCar(car, { key: OTHER_KEY.did!() }), 'InvalidSignature', 'another key');
    await isTypeError(() => copy.importCar(7 as unknown as Uint8Array), 'a number instead of a CAR');
    const result = await copy.importCar(chunks(), { key: KEY.did!(), meta: { 'app:cursor': '7' } });
    assertEqual([result.created, await copy.meta.get('app:cursor')], [20, '7'], 'a stream, with a meta value');
    await copy.close();
  }),

  over('gc keeps `keep` commits, and a dry run of repair changes nothing', async (repo) => {
    for (let i = 0; i < 5; i++) {
      await repo.put(POST, 'a', post(`${i}`));
    }
    await repo.gc({ ...AT_ONCE, keep: 3 });
    assertEqual((await listOf(repo.log())).length, 3, 'commits');
    const before = await describe(repo);
    const { dryRun, stepCount, whole } = await repo.repair({ dryRun: true });
    assertEqual([dryRun, stepCount, whole], [true, 0, true], 'the report on a valid repository');
    assertEqual(await describe(repo), before, 'the repository');
  }),
];
