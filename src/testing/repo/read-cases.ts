/** Test cases of every repository: reads of records, lists, trees, history and refs. */
import type { Repo } from '../../core/repo/repo.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, rejectionOf } from '../case.ts';
import type { RepoHarness } from './harness.ts';
import { AT_ONCE, DID, LIKE, POST, POSTGATE, creates, describe, over, post, rkeyOf } from './harness.ts';
import { errorName } from '../../core/data/platform-values.ts';

const rkeysOf = async (repo: Pick<Repo, 'list'>, ...args: Parameters<Repo['list']>): Promise<string[]> =>
  (await listOf(repo.list(...args))).map(({ rkey }) => rkey);

const mixed = async (repo: Repo): Promise<void> => {
  await repo.write([
    ...creates(10),
    { action: 'create', collection: POSTGATE, rkey: rkeyOf(3), value: { post: 'x' } },
    { action: 'create', collection: LIKE, rkey: rkeyOf(3), value: { subject: 'x' } },
  ]);
};

export const repoReadCases: readonly Case<RepoHarness>[] = [
  over('a list has one collection, in key order, with values', async (repo) => {
    await mixed(repo);
    const records = await listOf(repo.list(POST));
    assertEqual(
      records.map(({ rkey }) => rkey),
      Array.from({ length: 10 }, (_, i) => rkeyOf(i)),
      'the keys',
    );
    assertEqual(records[4]?.value.text, 'post 4', 'a value');
    assertEqual(records[4]?.uri, `at://${DID}/${POST}/${rkeyOf(4)}`, 'a uri');
    assertEqual(await rkeysOf(repo, POSTGATE), [rkeyOf(3)], 'a collection whose name begins like another');
    assertEqual(await rkeysOf(repo, 'app.bsky.feed.repost'), [], 'a collection without records');
  }),

  over('a list has a limit, a cursor and a direction', async (repo) => {
    await mixed(repo);
    assertEqual(await rkeysOf(repo, POST, { limit: 2 }), [rkeyOf(0), rkeyOf(1)], 'a limit');
    assertEqual(await rkeysOf(repo, POST, { limit: 0 }), [], 'none');
    assertEqual(await rkeysOf(repo, POST, { reverse: true, limit: 2 }), [rkeyOf(9), rkeyOf(8)], 'newest first');
    assertEqual(await rkeysOf(repo, POST, { cursor: rkeyOf(8) }), [rkeyOf(9)], 'after a cursor');
    assertEqual(await rkeysOf(repo, POST, { cursor: rkeyOf(1), reverse: true }), [rkeyOf(0)], 'before it, reversed');
    assertEqual(await rkeysOf(repo, POST, { cursor: rkeyOf(9) }), [], 'after the last');
    const error = await rejectionOf(() => listOf(repo.list(POST, { limit: -1 })), 'a limit below 0');
    assert(errorName(error) === 'TypeError', 'is a TypeError');
    await assertRejects(() => listOf(repo.list(POST, { cursor: '..' })), 'InvalidRecordKey', 'a bad cursor');
  }),

  over('all pages together are the list', async (repo) => {
    await repo.write(creates(100));
    for (const reverse of [false, true]) {
      const keys: string[] = [];
      for (let page = await rkeysOf(repo, POST, { limit: 7, reverse }); page.length > 0; ) {
        keys.push(...page);
        page = await rkeysOf(repo, POST, { limit: 7, reverse, cursor: page.at(-1) });
      }
      assertEqual(keys, await rkeysOf(repo, POST, { reverse }), reverse ? 'backwards' : 'forwards');
      assertEqual(keys.length, 100, 'how many');
    }
  }),

  over('a list shows one state during writes', async (repo) => {
    await repo.write(creates(200));
    let seen = 0;
    for await (const { value } of repo.list(POST)) {
      if (seen === 0) {
        await repo.write(
          Array.from({ length: 200 }, (_, i) => ({ action: 'delete', collection: POST, rkey: rkeyOf(i) })),
        );
      }
      assertEqual(value.text, `post ${seen}`, 'a value');
      seen += 1;
    }
    assertEqual(seen, 200, 'records seen');
  }),

  over('collections are listed in order, with counts', async (repo) => {
    await mixed(repo);
    const counts = await repo.collections();
    assertEqual(
      counts.map(({ collection, count }) => `${collection} ${count}`),
      [`${LIKE} 1`, `${POST} 10`, `${POSTGATE} 1`],
      'counts',
    );
  }),

  over('values are the data model: CIDs, bytes, blob references', async (repo) => {
    const blob = await repo.putBlob(new Uint8Array([1, 2, 3]), { mimeType: 'image/png' });
    const { cid } = await repo.put(POST, 'a', post('a'));
    await repo.put(POST, 'b', {
      ...post('b'),
      embed: { blob, link: cid, bytes: new Uint8Array([4, 5]), none: null, list: [1, -1, true] },
    });
    const embed = (await repo.get(POST, 'b'))!.value.embed as Record<string, unknown>;
    assertEqual(String(embed.link), String(cid), 'a link');
    assertEqual(embed.bytes, new Uint8Array([4, 5]), 'bytes');
    assertEqual(embed.list, [1, -1, true], 'a list');
    assertEqual(embed.none, null, 'null');
    assertEqual(String((embed.blob as typeof blob).ref), String(blob.ref), 'a blob');
  }),

  over('a tree is immutable; put and delete return a new one', async (repo) => {
    await repo.write(creates(5));
    const tree = await repo.checkout();
    const edited = await (await (await tree.put(POST, 'z', post('z'))).put(LIKE, 'y', { subject: 'y' })).delete(
      POST,
      rkeyOf(0),
    );
    assertEqual((await rkeysOf(tree, POST)).length, 5, 'the old tree');
    assertEqual(await rkeysOf(edited, POST), [rkeyOf(1), rkeyOf(2), rkeyOf(3), rkeyOf(4), 'z'], 'the new one');
    assertEqual((await edited.get(LIKE, 'y'))?.value.subject, 'y', 'a record that is not committed yet');
    assertEqual((await listOf(edited.entries())).length, 6, 'entries');
    assertEqual((await edited.collections()).length, 2, 'collections');
    assertEqual(await repo.get(POST, 'z'), undefined, 'the repository');
    assert((await tree.delete(POST, 'q')) === tree, 'deleting nothing is the same tree');
    const { cid } = await repo.commit(edited, { message: 'by hand' });
    assertEqual(String((await repo.head())?.cid), String(cid), 'the head');
    assertEqual((await repo.get(POST, 'z'))?.value.text, 'z', 'the record');
    assertEqual((await listOf(repo.log()))[0]?.message, 'by hand', 'the message');
    assert((await repo.verify()).ok, 'it is sound');
  }),

  over('a tree can be edited before the first commit', async (repo) => {
    const tree = await (await repo.checkout()).put(POST, 'a', post('a'));
    await repo.commit(tree);
    assertEqual((await repo.info()).records, 1, 'records');
    assert((await repo.verify()).ok, 'it is sound');
  }),

  over('a tree of another head is refused, unless the caller allows it', async (repo) => {
    await repo.write(creates(1));
    const tree = await (await repo.checkout()).put(POST, 'a', post('a'));
    const { cid } = await repo.put(POST, 'b', post('b')).then(({ commit }) => commit);
    await assertRejects(() => repo.commit(tree), 'InvalidSwap', 'the head has moved');
    await repo.commit(tree, { swapCommit: cid });
    assertEqual(await repo.get(POST, 'b'), undefined, 'the tree is the committed tree');
  }),

  over('an old state is read by rev, CID or ref, and can become the head', async (repo) => {
    const first = await repo.write(creates(3));
    await repo.write([{ action: 'delete', collection: POST, rkey: rkeyOf(1) }]);
    await repo.setRef('backup', first.rev);
    for (const at of [first.rev, first.cid, String(first.cid), 'backup']) {
      const tree = await repo.checkout(at);
      assertEqual((await tree.get(POST, rkeyOf(1)))?.value.text, 'post 1', `at ${String(at)}`);
    }
    await repo.commit(await repo.checkout(first.rev));
    assertEqual((await repo.get(POST, rkeyOf(1)))?.value.text, 'post 1', 'undeleted');
    assertEqual((await listOf(repo.log())).length, 3, 'commits');
    for (const at of ['nothing', '3jzfcijpj2z2a', 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm']) {
      await assertRejects(() => repo.checkout(at), 'RefNotFound', at);
    }
  }),

  over('refs are set, listed and removed; main is the head', async (repo) => {
    const { cid, rev } = await repo.write(creates(1));
    await repo.setRef('v1', rev);
    await repo.write(creates(1, 1));
    await repo.setRef('tip', 'main');
    const refs = await repo.refs();
    assertEqual([...refs.keys()], ['main', 'tip', 'v1'], 'names');
    assertEqual(String(refs.get('v1')), String(cid), 'v1');
    assertEqual(await repo.removeRef('v1'), true, 'removed');
    assertEqual(await repo.removeRef('v1'), false, 'a second time');
    await assertRejects(() => repo.setRef('main', rev), 'InvalidRef', 'main');
    await assertRejects(() => repo.removeRef('main'), 'InvalidRef', 'main');
    await assertRejects(() => repo.setRef('a/../b', rev), 'InvalidRef', 'an invalid name');
    await assertRejects(() => repo.setRef(rev, rev), 'InvalidRef', 'a rev');
    await assertRejects(() => repo.setRef('v2', 'nothing'), 'RefNotFound', 'a target that is not here');
  }),

  over('diff lists the changes between two states', async (repo) => {
    const first = await repo.write(creates(20));
    await repo.write([
      { action: 'create', collection: LIKE, rkey: 'l', value: { subject: 'x' } },
      { action: 'update', collection: POST, rkey: rkeyOf(3), value: post('changed') },
      { action: 'delete', collection: POST, rkey: rkeyOf(7) },
    ]);
    const changes = await listOf(repo.diff(first.rev));
    assertEqual(
      changes.map(
        ({ action, collection, rkey, cid, prev }) =>
          `${action} ${collection}/${rkey} ${cid !== undefined} ${prev !== undefined}`,
      ),
      [
        `create ${LIKE}/l true false`,
        `update ${POST}/${rkeyOf(3)} true true`,
        `delete ${POST}/${rkeyOf(7)} false true`,
      ],
      'changes',
    );
    assertEqual((await listOf(repo.diff(undefined))).length, 20, 'from nothing: all that is here');
    assertEqual((await listOf(repo.diff('main', first.rev))).length, 3, 'backwards');
    assertEqual((await listOf(repo.diff('main', 'main'))).length, 0, 'nothing');
  }),

  over('gc keeps the newest commits and what refs point to', async (repo) => {
    await repo.write(creates(50));
    const tagged = await repo.write(creates(1, 50));
    await repo.setRef('tag', tagged.rev);
    for (let i = 0; i < 5; i++) {
      await repo.put(POST, rkeyOf(0), post(`version ${i}`));
    }
    const before = await repo.info();
    const { blocks, commits } = await repo.gc({ ...AT_ONCE, keep: 2 });
    const after = await repo.info();
    assert(blocks > 0, 'blocks were removed');
    assertEqual(before.blocks - after.blocks, blocks, 'as many as it says');
    assertEqual(commits, 4, 'commits removed');
    assertEqual((await listOf(repo.log())).length, 3, 'commits kept');
    assertEqual((await repo.get(POST, rkeyOf(0)))?.value.text, 'version 4', 'the head');
    assertEqual((await (await repo.checkout('tag')).get(POST, rkeyOf(0)))?.value.text, 'post 0', 'the tag');
    assert((await repo.verify()).ok, 'it is sound');
    assertEqual((await repo.gc({ ...AT_ONCE, keep: 2 })).blocks, 0, 'a second time there is nothing to do');
  }),

  over('onChange notifies about every new head, after it is stored', async (repo, harness) => {
    const heard: string[] = [];
    const stop = repo.onChange(({ rev, created, updated, deleted }) =>
      heard.push(`${rev} +${created.join()} ~${updated.join()} -${deleted.join()}`),
    );
    const first = await repo.write(creates(2));
    const { commit: second } = await repo.put(POST, rkeyOf(1), post('changed'));
    await repo.put(POST, rkeyOf(1), post('changed'));
    const third = await repo.delete(POST, rkeyOf(0));
    const fourth = await repo.commit(await (await repo.checkout()).put(LIKE, 'l', { subject: 'x' }));
    const [a, b] = [`${POST}/${rkeyOf(0)}`, `${POST}/${rkeyOf(1)}`];
    const expected = [
      `${first.rev} +${a},${b} ~ -`,
      `${second.rev} + ~${b} -`,
      `${third?.rev} + ~ -${a}`,
      `${fourth.rev} +${LIKE}/l ~ -`,
    ];
    assertEqual(heard, expected, 'what was heard');
    stop();
    await repo.write([]);
    assertEqual(heard.length, 4, 'nothing more after the end');
    const copy = await harness.other().create({ did: DID });
    let imported = 0;
    copy.onChange(({ created }) => (imported += created.length));
    await copy.importCar(repo.exportCar());
    await copy.importCar(repo.exportCar());
    assertEqual(imported, 2, 'an import tells once');
    await copy.close();
  }),

  over('info returns counts', async (repo) => {
    await mixed(repo);
    await repo.putBlob(new Uint8Array(10));
    const info = await repo.info();
    assertEqual([info.did, info.signed, info.commits, info.records, info.blobs], [DID, true, 1, 12, 1], 'info');
    assertEqual(String(info.head), String((await repo.head())?.cid), 'the head');
    assert((await describe(repo)).includes(`${POST}=10`), 'collections');
  }),
];
