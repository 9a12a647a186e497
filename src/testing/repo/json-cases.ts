/** Test cases of every repository: the JSON form of records, and lists of all collections. */
import type { Branch } from '../../core/repo/branch.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { isTid } from '../../core/syntax/tid.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects } from '../case.ts';
import { FLOAT, carOf } from './car-cases.ts';
import type { RepoHarness } from './harness.ts';
import { DID, KEY, LIKE, POST, POSTGATE, creates, over, post, rkeyOf } from './harness.ts';

type Reader = Pick<Branch & Repo, 'create' | 'getJson' | 'list' | 'listJson'>;

const LINK = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm';

/** Returns a case for the repository and for a branch of it. */
const onBoth = (name: string, run: (reader: Reader, repo: Repo) => Promise<void>): Case<RepoHarness> =>
  over(name, async (repo, harness) => {
    await run(repo, repo);
    const other = await harness.other().create({ did: DID });
    await run(other.branch('drafts'), other);
    await other.close();
  });

const pathsOf = async (reader: Pick<Reader, 'list'>, ...args: Parameters<Repo['list']>): Promise<string[]> =>
  (await listOf(reader.list(...args))).map(({ collection, rkey }) => `${collection}/${rkey}`);

export const repoJsonCases: readonly Case<RepoHarness>[] = [
  onBoth('create makes a record with a new TID, and returns its path', async (reader, repo) => {
    const made = await reader.create(POST, post('new'));
    assert(isTid(made.rkey), `the key is a TID; rkey=${made.rkey}`);
    assertEqual(made.uri, `at://${DID}/${POST}/${made.rkey}`, 'the uri');
    assertEqual([made.rev, String(made.commit.cid)], [made.commit.rev, String(made.commit.cid)], 'the commit');
    const found = await reader.getJson(POST, made.rkey);
    assertEqual([found?.cid, found?.value['text']], [String(made.cid), 'new'], 'the record');
    const next = await reader.create(POST, post('new'));
    assert(next.rkey > made.rkey && next.rev > made.rev, 'keys and revs rise');
    const self = await reader.create(POST, post('self'), {
      rkey: 'self',
      message: 'said',
      swapCommit: next.commit.cid,
    });
    assertEqual(self.rkey, 'self', 'a key that was asked for');
    await assertRejects(
      () => reader.create(POST, post('self'), { rkey: 'self' }),
      'RecordExists',
      'the same key again',
    );
    await assertRejects(() => reader.create(POST, post('a'), { swapCommit: null }), 'InvalidSwap', 'another head');
    await assertRejects(() => reader.create('posts', {}), 'InvalidCollection', 'a collection that is not an NSID');
    assertEqual(await pathsOf(reader), [made, next, self].map(({ rkey }) => `${POST}/${rkey}`).sort(), 'the records');
    assert((await repo.verify()).ok, 'it is sound');
  }),

  onBoth('getJson and listJson return the JSON form of records, which create accepts', async (reader, repo) => {
    const blob = await repo.putBlob(new Uint8Array([1, 2, 3]), { mimeType: 'image/png' });
    const json = {
      $type: POST,
      blob: { $type: 'blob', ref: { $link: String(blob.ref) }, mimeType: 'image/png', size: 3 },
      bytes: { $bytes: 'BAU' },
      list: [{ $link: LINK }, null, true, -1],
    };
    const { rkey, cid } = await reader.create(POST, json);
    const found = await reader.getJson(POST, rkey);
    assertEqual(
      [found?.uri, found?.cid, found?.collection, found?.rkey],
      [`at://${DID}/${POST}/${rkey}`, String(cid), POST, rkey],
      'beside the value',
    );
    assertEqual(canonical(found?.value), canonical(json), 'the value');
    const [entry] = await listOf(reader.list(POST));
    const {
      bytes,
      blob: stored,
      list,
    } = entry!.value as unknown as {
      readonly bytes: Uint8Array;
      readonly blob: typeof blob;
      readonly list: readonly unknown[];
    };
    assertEqual(bytes, new Uint8Array([4, 5]), 'bytes are stored as bytes');
    assertEqual([String(stored.ref), String(list[0])], [String(blob.ref), LINK], 'links are stored as links');
    assertEqual(canonical(await listOf(reader.listJson(POST))), canonical([found]), 'a list');
    assertEqual((await listOf(reader.listJson())).length, 1, 'a list of all collections');
    assertEqual(await reader.getJson(POST, 'none'), undefined, 'a record that is not there');
    for (const wrong of [{ $link: 'bafy' }, { $bytes: '%' }, { $link: LINK, more: 1 }, { $bytes: 5 }]) {
      await assertRejects(() => reader.create(POST, { wrong }), 'InvalidRecord', JSON.stringify(wrong));
    }
  }),

  over('an invalid record has no JSON form', async (repo) => {
    await repo.importCar(await carOf([[`${POST}/bad`, FLOAT]]), { key: KEY.did!() });
    await assertRejects(() => repo.getJson(POST, 'bad'), 'Malformed', 'getJson');
    await assertRejects(() => listOf(repo.listJson(POST)), 'Malformed', 'listJson');
  }),

  over('a list without a collection has all records, each with its collection', async (repo) => {
    await repo.write([
      ...creates(120),
      { action: 'create', collection: POSTGATE, rkey: 'a', value: { post: 'x' } },
      { action: 'create', collection: LIKE, rkey: 'a', value: { subject: 'x' } },
    ]);
    const all = [`${LIKE}/a`, ...Array.from({ length: 120 }, (_, i) => `${POST}/${rkeyOf(i)}`), `${POSTGATE}/a`];
    const tree = await repo.checkout();
    for (const [name, from] of [
      ['the head', repo],
      ['a tree', tree],
      ['a branch', repo.branch('drafts')],
    ] as const) {
      assertEqual(await pathsOf(from), all, name);
      assertEqual(await pathsOf(from, { reverse: true }), [...all].reverse(), `${name}, reversed`);
      assertEqual(await pathsOf(from, { limit: 2 }), all.slice(0, 2), `${name}, with a limit`);
      assertEqual(await pathsOf(from, undefined, { cursor: all[1] }), all.slice(2), `${name}, after a cursor`);
      assertEqual(
        await pathsOf(from, { cursor: all[1], reverse: true }),
        all.slice(0, 1),
        `${name}, before a cursor, reversed`,
      );
    }
    assertEqual(
      (await listOf(repo.list(POST))).every(({ collection }) => collection === POST),
      true,
      'of one',
    );
  }),

  over('an empty cursor starts at the beginning of a list', async (repo) => {
    await repo.write(creates(3));
    const all = await pathsOf(repo, POST);
    const tree = await repo.checkout();
    assertEqual(await pathsOf(repo, POST, { cursor: '' }), all, 'one collection');
    assertEqual(await pathsOf(repo, POST, { cursor: '', reverse: true }), [...all].reverse(), 'reversed');
    assertEqual(await pathsOf(repo, { cursor: '' }), all, 'all collections');
    assertEqual(await pathsOf(repo, { cursor: '', reverse: true }), [...all].reverse(), 'all collections, reversed');
    assertEqual((await listOf(repo.listJson({ cursor: '' }))).length, 3, 'in JSON');
    assertEqual((await listOf(tree.entries(undefined, { cursor: '' }))).length, 3, 'entries of a tree');
    assertEqual((await listOf(tree.entries(POST, { cursor: '', reverse: true }))).length, 3, 'of a collection');
  }),
];

/** Formats JSON with sorted keys. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
