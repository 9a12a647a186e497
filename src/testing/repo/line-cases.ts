/** Test cases of every repository: commits beside the head, after an import, a reset or on a branch. */
import { readAll } from '../../core/data/streams.ts';
import type { Repo, Tree } from '../../core/repo/repo.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects } from '../case.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { RepoHarness } from './harness.ts';
import { AT_ONCE, DID, KEY, LIKE, OTHER_KEY, POST, creates, over, post, rkeyOf } from './harness.ts';

/** Asserts that `verify`, `repair` and `gc` find no fault, and change nothing that a reader sees. */
export const assertCared = async (repo: Repo): Promise<void> => {
  for (let i = 0; i < 2; i++) {
    const { faults } = await repo.verify();
    assertEqual(
      faults.map(({ message }) => message),
      [],
      'faults',
    );
    const { whole, steps } = await repo.repair();
    assertEqual([whole, ...steps.map(({ message }) => message)], [true], 'repair');
    await repo.gc(AT_ONCE);
  }
};

const textOf = async (repo: Pick<Repo, 'get'> | Tree, rkey: string): Promise<unknown> =>
  (await repo.get(POST, rkey))?.value.text;

/** Returns the host of an account, and a copy with the host's records. */
const hostAndCopy = async (harness: RepoHarness, repo: Repo): Promise<Repo> => {
  const host = await harness.other().create({ did: DID, signer: KEY });
  await host.write(creates(3));
  await repo.importCar(host.exportCar(), { key: KEY.did!() });
  return host;
};

const lines = (kept: { readonly paths: readonly { path: string; state: string }[] } | undefined): string[] =>
  (kept?.paths ?? []).map(({ path, state }) => `${path} ${state}`);

export const repoLineCases: readonly Case<RepoHarness>[] = [
  over('an import keeps local changes since the last one, and lists each path', async (repo, harness) => {
    const host = await hostAndCopy(harness, repo);
    await repo.put(POST, 'mine', post('mine'));
    await repo.put(POST, rkeyOf(0), post('changed here'));
    await repo.delete(POST, rkeyOf(1));
    await assertCared(repo);
    const { rev } = (await repo.head())!;
    await host.put(POST, rkeyOf(0), post('changed there'));
    await host.put(POST, 'theirs', post('theirs'));
    const { kept } = await repo.importCar(host.exportCar(), { key: KEY.did!() });
    assertEqual(kept?.ref, `local-${rev}`, 'the ref');
    assertEqual(
      lines(kept),
      [`${POST}/${rkeyOf(0)} differs`, `${POST}/${rkeyOf(1)} absent`, `${POST}/mine absent`],
      'the paths',
    );
    assertEqual(kept?.state, 'differs', 'the state');
    assertEqual(await textOf(repo, 'mine'), undefined, 'the head');
    assertEqual(await textOf(await repo.checkout(kept!.ref), 'mine'), 'mine', 'the old head');
    await assertCared(repo);
    assert((await repo.refs()).has(kept!.ref), 'gc keeps the ref');
    await host.close();
  }),

  over('an import that has all local changes keeps nothing', async (repo, harness) => {
    const host = await hostAndCopy(harness, repo);
    await repo.put(POST, 'mine', post('mine'));
    await repo.delete(POST, rkeyOf(1));
    await host.put(POST, 'mine', post('mine'));
    await host.delete(POST, rkeyOf(1));
    await host.put(POST, 'theirs', post('theirs'));
    const result = await repo.importCar(host.exportCar());
    assertEqual(result.kept, undefined, 'kept');
    assertEqual([...(await repo.refs()).keys()], ['main'], 'refs');
    await assertCared(repo);
    await host.close();
  }),

  over('without local changes an import keeps nothing', async (repo, harness) => {
    const host = await hostAndCopy(harness, repo);
    await host.put(POST, rkeyOf(0), post('changed there'));
    await host.delete(POST, rkeyOf(1));
    assertEqual((await repo.importCar(host.exportCar())).kept, undefined, 'kept');
    assertEqual([...(await repo.refs()).keys()], ['main'], 'refs');
    await host.close();
  }),

  over('the same local changes have one ref after several imports', async (repo, harness) => {
    const host = await hostAndCopy(harness, repo);
    const refs = new Set<string | undefined>();
    for (let i = 0; i < 3; i++) {
      await repo.put(POST, 'mine', post('mine'));
      await host.put(POST, `theirs${i}`, post('theirs'));
      refs.add((await repo.importCar(host.exportCar())).kept?.ref);
    }
    assertEqual(refs.size, 1, 'refs in the results');
    assertEqual([...(await repo.refs()).keys()].filter((name) => name.startsWith('local-')).length, 1, 'refs');
    await repo.put(POST, 'mine', post('another'));
    await host.put(POST, 'theirs', post('more'));
    assert(!refs.has((await repo.importCar(host.exportCar())).kept?.ref), 'other work has another ref');
    await assertCared(repo);
    await host.close();
  }),

  over('two devices with one key: the newer rev wins, and the changes of the other are kept', async (repo, harness) => {
    await repo.write(creates(2));
    const other = await harness.other().create({ did: DID, signer: KEY });
    await other.importCar(repo.exportCar());
    await repo.put(POST, 'here', post('here'));
    await other.put(LIKE, 'there', { subject: 'x' });
    const { kept } = await repo.importCar(other.exportCar(), { key: KEY.did!() });
    assertEqual([...lines(kept), kept?.state], [`${POST}/here absent`, 'absent'], 'kept here');
    await assertCared(repo);
    const old = await readAll(repo.exportCar({ at: kept!.ref }));
    await assertRejects(() => other.importCar(old), 'OutdatedRev', 'the older rev on the other device');
    await other.close();
  }),

  over('a repository that was created locally keeps its own records too', async (repo, harness) => {
    await repo.put(POST, 'mine', post('mine'));
    const host = await harness.other().create({ did: DID, signer: KEY });
    await host.write(creates(2));
    assertEqual(lines((await repo.importCar(host.exportCar())).kept), [`${POST}/mine absent`], 'kept');
    await assertCared(repo);
    await host.close();
  }),

  over('a write with another key than that of the head is refused, unless it is allowed', async (repo, harness) => {
    const host = await hostAndCopy(harness, repo);
    const before = await repo.head();
    await assertRejects(() => repo.put(POST, 'a', post('a'), { signer: OTHER_KEY }), 'InvalidSigner', 'put');
    await assertRejects(() => repo.delete(POST, rkeyOf(0), { signer: OTHER_KEY }), 'InvalidSigner', 'delete');
    await assertRejects(() => repo.write([], { signer: OTHER_KEY }), 'InvalidSigner', 'write');
    const tree = await (await repo.checkout()).put(POST, 'a', post('a'));
    await assertRejects(() => repo.commit(tree, { signer: OTHER_KEY }), 'InvalidSigner', 'commit');
    assertEqual(String((await repo.head())?.cid), String(before?.cid), 'the head');
    await host.put(POST, 'theirs', post('theirs'));
    await repo.importCar(host.exportCar(), { key: KEY.did!() });
    await repo.put(POST, 'a', post('a'), { signer: OTHER_KEY, allowOtherKey: true });
    await repo.put(POST, 'b', post('b'), { signer: OTHER_KEY });
    await assertRejects(() => repo.put(POST, 'c', post('c')), 'InvalidSigner', 'the key of before');
    assertEqual((await repo.verify({ key: OTHER_KEY.did!() })).signature, 'valid', 'the signature');
    await host.close();
  }),

  over('reset makes an older commit the head, and the next CAR of the account imports', async (repo, harness) => {
    const host = await hostAndCopy(harness, repo);
    const base = (await repo.head())!;
    const car = await (async () => {
      await host.put(POST, 'theirs', post('theirs'));
      return readAll(host.exportCar());
    })();
    await repo.put(POST, 'mine', post('mine'));
    const old = (await repo.head())!;
    await assertRejects(() => repo.importCar(car), 'OutdatedRev', 'before the reset');
    const { cid, rev, ref } = await repo.reset(base.rev);
    assertEqual([String(cid), rev, ref], [String(base.cid), base.rev, `local-${old.rev}`], 'the result');
    assertEqual(String((await repo.refs()).get(ref!)), String(old.cid), 'the old head');
    assertEqual(
      (await listOf(repo.log())).map((entry) => entry.rev),
      [base.rev],
      'the log',
    );
    await assertCared(repo);
    const result = await repo.importCar(car, { key: KEY.did!() });
    assertEqual(result.kept, undefined, 'nothing was written since');
    assertEqual(await textOf(repo, 'theirs'), 'theirs', 'the record of the account');
    await assertCared(repo);
    await host.close();
  }),

  over('reset accepts only commits of the local history, and does nothing for the head', async (repo) => {
    await assertRejects(() => repo.reset('nothing'), 'RefNotFound', 'an unknown name');
    const first = await repo.write(creates(1));
    const second = await repo.write(creates(1, 1));
    assertEqual((await repo.reset(second.cid)).ref, undefined, 'the head');
    await assertRejects(() => repo.reset(first.rev, { swapCommit: first.cid }), 'InvalidSwap', 'another head');
    const { ref } = await repo.reset(first.rev, { swapCommit: second.cid });
    await assertRejects(() => repo.reset(ref!), 'RefNotFound', 'a commit that was reset');
    const third = await repo.put(POST, 'third', post('third'));
    assert(third.commit.rev > second.rev, 'revs increase');
    await assertCared(repo);
    assertEqual((await listOf(repo.diff(ref))).length, 2, 'the old head can be compared');
  }),

  over('a reset notifies listeners, with the changed records', async (repo) => {
    const first = await repo.write(creates(1));
    await repo.write(creates(1, 1));
    const heard: string[] = [];
    const end = repo.onChange(({ rev, deleted, reset }) => heard.push(`${rev} ${deleted.join()} ${reset}`));
    await repo.reset(first.rev);
    const later = await repo.put(POST, 'later', post('later'));
    while (heard.length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    end();
    assertEqual(heard, [`${first.rev} ${POST}/${rkeyOf(1)} true`, `${later.commit.rev}  undefined`], 'heard');
  }),
];
