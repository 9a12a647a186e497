/** The contract of a repository about the events of its commits. */
import type { CommitEvent } from '../../core/repo/proof/commit-event.ts';
import { verifyCommitEvent } from '../../core/repo/proof/verify-commit-event.ts';
import type { HeadChange, Repo } from '../../core/repo/repo.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects } from '../case.ts';
import type { MakeRepo, RepoHarness } from './harness.ts';
import { AT_ONCE, DID, KEY, OTHER_DID, OTHER_KEY, POST, creates, over, overMore, post, rkeyOf } from './harness.ts';

const commitEvent = async (repo: Repo, at?: string): Promise<CommitEvent> => {
  const event = await repo.commitEvent(at);
  assert(event.type === 'commit', 'a commit event');
  return event;
};

export const repoEventCases: readonly Case<RepoHarness>[] = [
  over('each commit has an event that proves what it changed', async (repo) => {
    await repo.write(creates(40));
    await repo.put(POST, rkeyOf(3), post('changed'));
    await repo.delete(POST, rkeyOf(4));
    await repo.write([]);
    const log = [];
    for await (const entry of repo.log()) {
      log.unshift(entry);
    }
    const ops = [40, 1, 1, 0];
    for (const [i, { cid, data, rev }] of log.entries()) {
      const event = await commitEvent(repo, rev);
      const before = log[i - 1];
      const known = { since: before?.rev ?? null, prevData: before?.data ?? null };
      const { state, reason, commit } = await verifyCommitEvent(event, { key: KEY.did(), ...known });
      assertEqual(`${state} ${reason}`, 'valid undefined', `the event of commit ${i}`);
      assertEqual(event.ops.length, ops[i], `operations of commit ${i}`);
      assertEqual([String(event.commit), String(commit?.data)], [String(cid), String(data)], `commit ${i}`);
      assertEqual('prevData' in event, i > 0, 'only the first commit has no prevData');
    }
    assertEqual(String((await commitEvent(repo)).commit), String(log.at(-1)?.cid), 'the head by default');
  }),

  over('a commit whose changes do not fit, or whose predecessor is unknown, has a sync event', async (repo) => {
    await assertRejects(() => repo.commitEvent(), 'HeadNotFound', 'before the first commit');
    const large = await repo.write(creates(201));
    const event = await repo.commitEvent(large.rev);
    assertEqual(
      [event.type, (await verifyCommitEvent(event, { key: KEY.did() })).state],
      ['sync', 'valid'],
      '201 posts',
    );
    const long = 'x'.repeat(900_000);
    await repo.write(
      [0, 1, 2].map((i) => ({ action: 'create', collection: POST, rkey: `l${i}`, value: post(long + i) })),
    );
    assertEqual((await repo.commitEvent()).type, 'sync', 'three records of 900,000 bytes');
    await repo.put(POST, 'a', post('a'));
    assertEqual((await repo.commitEvent()).type, 'commit', 'one record');
    await repo.gc(AT_ONCE);
    assertEqual((await repo.commitEvent()).type, 'sync', 'after gc removed the commit before');
    await repo.put(POST, 'b', post('b'));
    assertEqual((await repo.commitEvent()).type, 'commit', 'the next commit');
    await assertRejects(() => repo.commitEvent(large.rev), 'RefNotFound', 'a removed commit');
  }),

  overMore(
    'a copy follows the events of its host',
    async (repo, make) => {
      const source = await make();
      await source.write(creates(60));
      await repo.importCar(source.exportCar(), { key: KEY.did() });
      assertEqual((await repo.commitEvent()).type, 'sync', 'the imported head');
      const heard: HeadChange[] = [];
      repo.onChange((change) => heard.push(change));
      await source.put(POST, rkeyOf(3), post('changed'));
      const skipped = await source.commitEvent();
      await source.write([...creates(2, 60), { action: 'delete', collection: POST, rkey: rkeyOf(0) }]);
      const next = await source.commitEvent();
      const early = await repo.applyEvent(next, { key: KEY.did() });
      assertEqual([early.outcome, early.changes], ['desynchronized', []], 'an event too early');
      const first = await repo.applyEvent(skipped, { key: KEY.did(), meta: { 'app:cursor': '7' } });
      assertEqual(first.outcome, 'applied', 'the next event');
      assertEqual(
        first.changes.map(({ action, rkey }) => `${action} ${rkey}`),
        [`update ${rkeyOf(3)}`],
        'its changes',
      );
      assertEqual(await repo.meta.get('app:cursor'), '7', 'the meta value');
      assertEqual((await repo.applyEvent(skipped, { key: KEY.did() })).outcome, 'ignored', 'the same event again');
      const second = await repo.applyEvent(next, { key: KEY.did() });
      assertEqual([second.outcome, second.changes.length], ['applied', 3], 'the event after');
      assertEqual((await repo.applyEvent(skipped)).outcome, 'ignored', 'an older event');
      assertEqual(String((await repo.head())?.cid), String((await source.head())?.cid), 'the head');
      assertEqual((await repo.verify({ key: KEY.did() })).faults, [], 'no fault');
      assertEqual(
        heard.map(({ created, updated, deleted }) => [created, updated, deleted].map((all) => all.length)),
        [
          [0, 1, 0],
          [2, 0, 1],
        ],
        'what listeners heard',
      );
      assertEqual((await repo.commitEvent()).type, 'commit', 'the copy can announce the commit itself');
    },
    null,
  ),

  overMore(
    'a copy starts with the first event, and takes a new signature of its records',
    async (repo, make) => {
      const source = await make();
      await source.put(POST, 'a', post('a'));
      assertEqual((await repo.applyEvent(await source.commitEvent())).outcome, 'applied', 'the first commit');
      await source.write([], { signer: OTHER_KEY, allowOtherKey: true });
      const head = await source.head();
      const { blocks } = await syncOf(make, source);
      const sync = { type: 'sync', did: DID, rev: head!.rev, blocks } as const;
      const applied = await repo.applyEvent(sync, { key: OTHER_KEY.did() });
      assertEqual([applied.outcome, applied.changes], ['applied', []], 'a sync event with the same records');
      assertEqual(String((await repo.head())?.cid), String(head?.cid), 'the head');
      assertEqual((await repo.applyEvent(sync)).outcome, 'ignored', 'the same again');
      await source.put(POST, 'b', post('b'), { signer: OTHER_KEY });
      const other = { ...sync, rev: (await source.head())!.rev, blocks: (await syncOf(make, source)).blocks };
      assertEqual((await repo.applyEvent(other)).outcome, 'desynchronized', 'a sync event with other records');
    },
    null,
  ),

  overMore(
    'an event that is not of the account, or not signed by its key, changes nothing',
    async (repo, make) => {
      const source = await make();
      await source.put(POST, 'a', post('a'));
      await repo.importCar(source.exportCar());
      const before = await repo.head();
      await source.put(POST, 'b', post('b'));
      const event = await commitEvent(source);
      const stranger = await make(OTHER_DID);
      await stranger.put(POST, 'a', post('a'));
      const outcomes = [
        await repo.applyEvent(event, { key: OTHER_KEY.did() }),
        await repo.applyEvent(await stranger.commitEvent()),
        await repo.applyEvent({ ...event, ops: [] }),
        await repo.applyEvent({ ...event, blocks: event.blocks.subarray(0, 100) }),
      ];
      assertEqual(
        outcomes.map(({ outcome }) => outcome),
        ['invalid', 'invalid', 'invalid', 'invalid'],
        'the outcomes',
      );
      const { prevData: _, ...old } = event;
      assertEqual((await repo.applyEvent(old)).outcome, 'desynchronized', 'an event without prevData');
      assertEqual(String((await repo.head())?.cid), String(before?.cid), 'the head');
    },
    null,
  ),
];

/** The CAR of the head's commit alone: what a sync event carries. */
const syncOf = async (make: MakeRepo, source: Repo): Promise<{ readonly blocks: CommitEvent['blocks'] }> => {
  const copy = await make();
  await copy.importCar(source.exportCar());
  const event = await copy.commitEvent();
  assert(event.type === 'sync', 'a sync event');
  return event;
};
