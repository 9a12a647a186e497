/** Test cases of every repository: meta values of an application. */
import { readAll } from '../../core/data/streams.ts';
import type { Repo, Tree } from '../../core/repo/repo.ts';
import { MAX_META_NAME_SIZE, MAX_META_VALUE_SIZE } from '../../core/repo/write/meta.ts';
import type { Case } from '../case.ts';
import { assertEqual, assertRejects, assertTypeError, skip } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { RepoHarness } from './harness.ts';
import { AT_ONCE, DID, KEY, POST, creates, over, post } from './harness.ts';

const metaOf = async (repo: Repo, prefix?: string): Promise<string[]> =>
  (await listOf(repo.meta.list(prefix))).map(([name, value]) => `${name}=${value}`);

/** Returns one successful write for each method that changes the head. */
const changes: Readonly<Record<string, (repo: Repo, meta: Record<string, string | null>) => Promise<unknown>>> = {
  write: (repo, meta) => repo.write(creates(1), { meta }),
  put: (repo, meta) => repo.put(POST, 'p', post('p'), { meta }),
  delete: async (repo, meta) => repo.delete(POST, 'd', { meta }),
  commit: async (repo, meta) => {
    const tree: Tree = await repo.checkout();
    return repo.commit(await tree.put(POST, 'c', post('c')), { meta });
  },
};

export const repoMetaCases: readonly Case<RepoHarness>[] = [
  over('meta: a value is set, read and removed', async (repo) => {
    assertEqual(await repo.meta.get('app:cursor'), undefined, 'at first');
    for (const value of ['12', '', '\u{1f980}\u0000', 'x'.repeat(100_000)]) {
      await repo.meta.set('app:cursor', value);
      assertEqual(await repo.meta.get('app:cursor'), value, 'the value');
    }
    await repo.meta.set('app:cursor', undefined);
    assertEqual(await repo.meta.get('app:cursor'), undefined, 'afterwards');
    await repo.meta.set('app:cursor', undefined);
    assertEqual(await repo.head(), undefined, 'no commit was made');
  }),

  over('meta: values are listed by prefix, in the order of the bytes of their names', async (repo) => {
    const names = ['app:', 'app:a', 'app:a:1', 'app:b', 'app:\u00e9', 'app:\ufffd', 'app:\u{1f980}'];
    for (const name of [...names].reverse()) {
      await repo.meta.set(name, 'v');
    }
    await repo.write(creates(1), { message: 'a message that is not an application value' });
    const entries = names.map((name) => `${name}=v`);
    assertEqual(await metaOf(repo), entries, 'all of them');
    assertEqual(await metaOf(repo, 'app:a'), entries.slice(1, 3), 'one prefix');
    assertEqual(await metaOf(repo, 'app:x'), [], 'a prefix that no name has');
  }),

  over('meta: many and large values are listed', async (repo) => {
    const meta: Record<string, string> = {};
    for (let n = 0; n < 1200; n++) {
      meta[`app:${String(n).padStart(5, '0')}`] = n % 400 === 0 ? String(n).repeat(200_000) : String(n);
    }
    await repo.write([], { meta });
    const listed = await listOf(repo.meta.list());
    assertEqual(listed.length, 1200, 'values');
    for (const [name, value] of listed) {
      assertEqual(value === meta[name], true, `the value of ${name}`);
    }
  }),

  over('meta: names begin with app:, and sizes have a limit', async (repo) => {
    const long = `app:${'\u00e9'.repeat((MAX_META_NAME_SIZE - 4) / 2)}`;
    for (const name of ['did', '', 'App:x', ' app:x', `${long}x`, 'app:\u0000', 'app:\ud800', 7, undefined, null]) {
      await assertTypeError(() => repo.meta.get(name as never), `get of ${String(name)}`);
      await assertTypeError(() => repo.meta.set(name as never, 'v'), `set of ${String(name)}`);
      await assertTypeError(() => repo.write([], { meta: { [String(name)]: 'v' } }), `write with ${String(name)}`);
    }
    await assertTypeError(() => listOf(repo.meta.list('did')), 'a list of other names');
    for (const value of [7, {}, '\ud800']) {
      await assertTypeError(() => repo.meta.set('app:x', value as never), `a value that is ${String(value)}`);
      await assertTypeError(() => repo.put(POST, 'a', post('a'), { meta: { 'app:x': value as never } }), 'put');
    }
    const most = 'x'.repeat(MAX_META_VALUE_SIZE);
    await repo.meta.set(long, most);
    assertEqual((await repo.meta.get(long))?.length, most.length, 'the largest value under the longest name');
    await assertRejects(() => repo.meta.set('app:x', `${most}x`), 'LimitExceeded', 'a larger value');
    await assertRejects(() => repo.write([], { meta: { 'app:x': `${most}x` } }), 'LimitExceeded', 'in a write');
    assertEqual(await repo.head(), undefined, 'no commit was made');
  }),

  ...Object.entries(changes).map(([name, change]) =>
    over(`meta: ${name} sets values in the same transaction as the head`, async (repo) => {
      await repo.put(POST, 'd', post('d'), { meta: { 'app:old': 'old', 'app:kept': 'kept' } });
      const before = await repo.head();
      await change(repo, { 'app:new': name, 'app:old': null, 'app:none': null });
      assertEqual(String((await repo.head())?.cid) === String(before?.cid), false, 'the head moved');
      assertEqual(await metaOf(repo), ['app:kept=kept', `app:new=${name}`], 'the values');
    }),
  ),

  over('meta: importCar sets values in the same transaction as the head', async (repo, harness) => {
    await repo.write(creates(3));
    const car = await readAll(repo.exportCar());
    const copy = await harness.other().create({ did: DID });
    await copy.importCar(car, { meta: { 'app:cursor': '3' } });
    assertEqual(await metaOf(copy), ['app:cursor=3'], 'the value');
    await copy.importCar(car, { meta: { 'app:cursor': '4' } });
    assertEqual(await metaOf(copy), ['app:cursor=4'], 'the value after an import that changes nothing');
    await assertRejects(
      () => copy.importCar(car.subarray(0, car.length - 1), { meta: { 'app:cursor': '5' } }),
      'Malformed',
      'a truncated CAR',
    );
    await assertTypeError(() => copy.importCar(car, { meta: { cursor: '5' } }), 'another name');
    assertEqual(await metaOf(copy), ['app:cursor=4'], 'the value afterwards');
    await copy.close();
  }),

  over('meta: a write that fails sets no value', async (repo) => {
    const { cid } = await repo.put(POST, 'a', post('a'), { meta: { 'app:x': 'kept' } });
    const meta = { 'app:x': 'lost', 'app:y': 'lost' };
    const create = { action: 'create', collection: POST, rkey: 'a', value: post('a') } as const;
    await assertRejects(() => repo.write([create], { meta }), 'RecordExists', 'write');
    await assertRejects(() => repo.put(POST, 'b', post('b'), { meta, swapCommit: cid }), 'InvalidSwap', 'put');
    await assertRejects(() => repo.delete(POST, 'a', { meta, swapCommit: null }), 'InvalidSwap', 'delete');
    const tree = await (await repo.checkout()).put(POST, 'c', post('c'));
    await assertRejects(() => repo.commit(tree, { meta, swapCommit: cid }), 'InvalidSwap', 'commit');
    const signer = { sign: () => Promise.reject(new Error('no key')) };
    await repo.put(POST, 'd', post('d'), { meta, signer }).catch(() => undefined);
    assertEqual(await repo.get(POST, 'd'), undefined, 'the record');
    assertEqual(await metaOf(repo), ['app:x=kept'], 'the values');
  }),

  over('meta: values are set without a change of a record, and without a commit', async (repo) => {
    await repo.delete(POST, 'a', { meta: { 'app:x': 'before the first commit' } });
    assertEqual(await metaOf(repo), ['app:x=before the first commit'], 'the value');
    assertEqual(await repo.head(), undefined, 'no commit was made');
    await repo.put(POST, 'a', post('a'));
    const head = await repo.head();
    const { commit } = await repo.put(POST, 'a', post('a'), { meta: { 'app:x': 'put' } });
    assertEqual(String(commit.cid), String(head?.cid), 'the head stayed');
    assertEqual(await metaOf(repo), ['app:x=put'], 'the value after the put');
    assertEqual(await repo.delete(POST, 'b', { meta: { 'app:x': 'delete' } }), undefined, 'no commit was made');
    assertEqual(await metaOf(repo), ['app:x=delete'], 'the value after the delete');
    assertEqual(String((await repo.head())?.cid), String(head?.cid), 'the head');
  }),

  over('meta: a write that is repeated by its name sets its values once', async (repo) => {
    const again = { since: undefined };
    const id = (name: string, repeated = false) => ({ id: name, ...(repeated ? { again } : {}) });
    await repo.delete(POST, 'none', { meta: { 'app:x': '0' }, request: id('zero') });
    await repo.meta.set('app:x', 'between');
    await repo.delete(POST, 'none', { meta: { 'app:x': '0' }, request: id('zero', true) });
    assertEqual(await repo.meta.get('app:x'), 'between', 'the value after the repeated delete');
    const first = await repo.put(POST, 'a', post('a'), { meta: { 'app:x': '1' }, request: id('one') });
    await repo.put(POST, 'a', post('a'), { meta: { 'app:x': '2' }, request: id('two') });
    await repo.meta.set('app:x', 'later');
    const repeated = [
      await repo.put(POST, 'a', post('a'), { meta: { 'app:x': '1' }, request: id('one', true) }),
      await repo.put(POST, 'a', post('a'), { meta: { 'app:x': '2' }, request: id('two', true) }),
    ];
    for (const { commit } of repeated) {
      assertEqual(String(commit.cid), String(first.commit.cid), 'the commit');
    }
    assertEqual(await repo.meta.get('app:x'), 'later', 'the value after the repeated puts');
  }),

  over('meta: values stay over gc and repair', async (repo) => {
    await repo.put(POST, 'a', post('a'), { meta: { 'app:x': 'kept' } });
    await repo.write(creates(2));
    await repo.gc(AT_ONCE);
    await repo.repair();
    assertEqual(await metaOf(repo), ['app:x=kept'], 'the values');
  }),

  {
    name: 'meta: values are kept over a reopen',
    run: async (harness) => {
      if (harness.forgetful) {
        skip('the storage loses its content when it is closed');
      }
      const repo = await harness.create({ did: DID, signer: KEY });
      await repo.meta.set('app:a', 'set');
      await repo.write(creates(1), { meta: { 'app:b': 'written' } });
      await repo.close();
      const again = await harness.open();
      assertEqual(await metaOf(again), ['app:a=set', 'app:b=written'], 'the values');
      await again.close();
      await assertRejects(() => again.meta.get('app:a'), 'Closed', 'get');
      await assertRejects(() => again.meta.set('app:a', 'late'), 'Closed', 'set');
      await assertRejects(() => listOf(again.meta.list()), 'Closed', 'list');
    },
  },
];
