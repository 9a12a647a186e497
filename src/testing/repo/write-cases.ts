/** Test cases of every repository: writes. */
import type { WriteOp } from '../../core/repo/repo.ts';
import { isTid } from '../../core/syntax/tid.ts';
import { listOf } from '../../core/data/list-of.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, assertTypeError, skip } from '../case.ts';
import type { RepoHarness } from './harness.ts';
import { AT_ONCE, DID, KEY, LIKE, OTHER_KEY, POST, creates, describe, over, post, rkeyOf } from './harness.ts';

const texts = (
  ...ops: readonly (readonly [action: 'create' | 'update' | 'delete', rkey: string, text?: string])[]
): WriteOp[] =>
  ops.map(([action, rkey, text]) =>
    action === 'delete'
      ? { action, collection: POST, rkey }
      : { action, collection: POST, rkey, value: post(text ?? rkey) },
  );

export const repoWriteCases: readonly Case<RepoHarness>[] = [
  over('there is no head at first', async (repo) => {
    assertEqual(await repo.head(), undefined, 'the head');
    assertEqual(await repo.get(POST, 'a'), undefined, 'a record');
    assertEqual(await listOf(repo.list(POST)), [], 'a collection');
    assertEqual(await repo.collections(), [], 'collections');
    assertEqual(await listOf(repo.log()), [], 'the log');
    assertEqual((await repo.refs()).size, 0, 'refs');
    assert((await repo.verify()).ok, 'an empty repository is sound');
  }),

  over('one commit for all operations, signed, with a result for each', async (repo) => {
    const { cid, rev, results } = await repo.write([
      ...creates(3),
      { action: 'create', collection: LIKE, value: { subject: 'x' } },
    ]);
    const head = await repo.head();
    assertEqual(String(head?.cid), String(cid), 'the head');
    assertEqual(head?.rev, rev, 'its rev');
    assertEqual(head?.signed, true, 'it is signed');
    assertEqual(results.length, 4, 'results');
    assertEqual(results[0]?.uri, `at://${DID}/${POST}/${rkeyOf(0)}`, 'the first uri');
    const rkey = results[3]!.uri.split('/').at(-1)!;
    assert(isTid(rkey), 'a record without a key gets a TID');
    assertEqual(String((await repo.get(LIKE, rkey))?.cid), String(results[3]?.cid), 'the like');
    assertEqual((await repo.get(LIKE, rkey))?.value.$type, LIKE, 'its $type was filled in');
    assertEqual((await listOf(repo.log())).length, 1, 'commits');
  }),

  over('a write without operations makes a commit with the same records', async (repo) => {
    const first = await repo.write(creates(1));
    const second = await repo.write([]);
    assert(second.rev > first.rev, 'the rev rises');
    const [newer, older] = await listOf(repo.log());
    assertEqual(String(newer?.data), String(older?.data), 'the tree');
  }),

  over('the first commit may be empty', async (repo) => {
    await repo.write([]);
    assertEqual((await repo.info()).records, 0, 'records');
    assert((await repo.verify()).ok, 'it is sound');
  }),

  over('revs rise with every commit', async (repo) => {
    let last = '';
    for (let i = 0; i < 20; i++) {
      const { commit } = await repo.put(POST, 'a', post(`${i}`));
      assert(commit.rev > last, `${commit.rev} comes after ${last}`);
      last = commit.rev;
    }
  }),

  over('put creates and replaces; an equal record makes no commit', async (repo) => {
    const first = await repo.put(POST, 'a', post('one'));
    const same = await repo.put(POST, 'a', post('one'));
    assertEqual(same.commit.rev, first.commit.rev, 'the rev');
    const second = await repo.put(POST, 'a', post('two'));
    assert(second.commit.rev > first.commit.rev, 'another value is another commit');
    assertEqual((await repo.get(POST, 'a'))?.value.text, 'two', 'the text');
  }),

  over('delete returns the commit, or undefined if the record is absent', async (repo) => {
    await repo.put(POST, 'a', post('one'));
    const commit = await repo.delete(POST, 'a');
    assertEqual(String((await repo.head())?.cid), String(commit?.cid), 'the head');
    assertEqual(await repo.get(POST, 'a'), undefined, 'the record');
    assertEqual(await repo.delete(POST, 'a'), undefined, 'a second time');
    assertEqual((await listOf(repo.log())).length, 2, 'commits');
  }),

  over('bytes are stored unchanged, and must be a record of their collection', async (repo) => {
    await repo.put(POST, 'a', post('one'));
    const { bytes } = (await repo.get(POST, 'a'))!;
    const { cid } = await repo.put(POST, 'b', bytes);
    assertEqual((await repo.get(POST, 'b'))!.bytes, bytes, 'the bytes');
    assertEqual(String(cid), String((await repo.get(POST, 'a'))?.cid), 'the CID');
    await assertRejects(() => repo.put(LIKE, 'a', bytes), 'InvalidRecord', 'another collection');
    await assertRejects(() => repo.put(POST, 'c', bytes.subarray(1)), 'InvalidRecord', 'bytes that are not a record');
  }),

  over('of two equal records, deleting one keeps the other', async (repo) => {
    await repo.write(texts(['create', 'a', 'same'], ['create', 'b', 'same']));
    await repo.delete(POST, 'a');
    await repo.gc(AT_ONCE);
    assertEqual((await repo.get(POST, 'b'))?.value.text, 'same', 'the text');
    assert((await repo.verify()).ok, 'it is sound');
  }),

  over('operations on one path are merged', async (repo) => {
    await repo.write(texts(['create', 'x', 'old'], ['create', 'y', 'old']));
    await repo.write(
      texts(
        ['create', 'a', '1'],
        ['update', 'a', '2'],
        ['create', 'b'],
        ['delete', 'b'],
        ['delete', 'x'],
        ['create', 'x', 'new'],
        ['update', 'y', 'new'],
        ['update', 'y', 'old'],
      ),
    );
    const [newer, older] = await listOf(repo.log());
    const changes = await listOf(repo.diff(older!.cid, newer!.cid));
    assertEqual(
      changes.map(({ action, rkey }) => `${action} ${rkey}`),
      ['create a', 'update x'],
      'what changed',
    );
    assertEqual((await repo.get(POST, 'a'))?.value.text, '2', 'the last word counts');
  }),

  over('create refuses an existing record, update and delete refuse an absent one', async (repo) => {
    await repo.put(POST, 'a', post('one'));
    const before = await describe(repo);
    await assertRejects(() => repo.write(texts(['create', 'b'], ['create', 'a'])), 'RecordExists', 'create');
    await assertRejects(() => repo.write(texts(['create', 'b'], ['update', 'c'])), 'RecordNotFound', 'update');
    await assertRejects(() => repo.write(texts(['create', 'b'], ['delete', 'c'])), 'RecordNotFound', 'delete');
    await assertRejects(
      () => repo.write(texts(['delete', 'a'], ['update', 'a'])),
      'RecordNotFound',
      'update after delete',
    );
    assertEqual(await describe(repo), before, 'the repository');
  }),

  over('swapCommit guards the head', async (repo) => {
    const first = await repo.write(creates(1), { swapCommit: null });
    await assertRejects(() => repo.write([], { swapCommit: null }), 'InvalidSwap', 'null, and there is a head');
    const second = await repo.write(creates(1, 1), { swapCommit: first.cid });
    await assertRejects(() => repo.write(creates(1, 2), { swapCommit: first.cid }), 'InvalidSwap', 'an older head');
    await assertRejects(() => repo.put(POST, 'a', post('x'), { swapCommit: first.cid }), 'InvalidSwap', 'put');
    await assertRejects(() => repo.delete(POST, rkeyOf(0), { swapCommit: first.cid }), 'InvalidSwap', 'delete');
    assertEqual(String((await repo.head())?.cid), String(second.cid), 'the head');
  }),

  over('swapRecord guards a record', async (repo) => {
    const one = await repo.put(POST, 'a', post('one'));
    const two = await repo.put(POST, 'a', post('two'));
    const update = (swapRecord: typeof one.cid): WriteOp => ({
      action: 'update',
      collection: POST,
      rkey: 'a',
      value: post('three'),
      swapRecord,
    });
    await assertRejects(() => repo.write([update(one.cid)]), 'InvalidSwap', 'an older record');
    await repo.write([update(two.cid)]);
    const remove: WriteOp = { action: 'delete', collection: POST, rkey: 'a', swapRecord: one.cid };
    await assertRejects(() => repo.write([remove]), 'InvalidSwap', 'delete');
    await repo.write([{ action: 'create', collection: POST, rkey: 'b', value: post('b'), swapRecord: null }]);
  }),

  over('names and values are checked, and a refused write stores nothing', async (repo) => {
    await repo.put(POST, 'a', post('one'));
    const before = await describe(repo);
    const attempt = (collection: string, rkey: string, value: unknown) => () =>
      repo.write([...creates(1), { action: 'create', collection, rkey, value: value as never }]);
    await assertRejects(attempt('post', 'b', post('x')), 'InvalidCollection', 'a collection that is no NSID');
    await assertRejects(attempt('__proto__', 'b', post('x')), 'InvalidCollection', '__proto__');
    await assertRejects(attempt(POST, '..', post('x')), 'InvalidRecordKey', 'a record key');
    await assertRejects(attempt(POST, 'a/b', post('x')), 'InvalidRecordKey', 'a slash');
    await assertRejects(attempt(POST, 'x'.repeat(513), post('x')), 'InvalidRecordKey', 'a long one');
    await assertRejects(attempt(POST, 'b', { ...post('x'), n: 1.5 }), 'InvalidRecord', 'a float');
    await assertRejects(attempt(POST, 'b', { ...post('x'), text: '\ud800' }), 'InvalidRecord', 'a lone surrogate');
    await assertRejects(attempt(LIKE, 'b', post('x')), 'InvalidRecord', 'the wrong $type');
    await assertRejects(attempt(POST, 'b', { $type: 3 }), 'InvalidRecord', 'a $type that is not a text');
    await assertRejects(attempt(POST, 'b', [1]), 'InvalidRecord', 'a list');
    await assertRejects(attempt(POST, 'b', post('x'.repeat(1_000_000))), 'RecordTooLarge', 'a megabyte and a bit');
    const legacy = { cid: 'bafkreiccldh766hwcnuxnf2wh6jgzepf2nlu2lvcllt63eww5p6chi4ity', mimeType: 'image/png' };
    await assertRejects(
      attempt(POST, 'b', { ...post('x'), embed: legacy }),
      'InvalidRecord',
      'a blob reference of the old form',
    );
    await assertRejects(() => repo.get('post', 'b'), 'InvalidCollection', 'get');
    await assertRejects(() => repo.get(POST, ''), 'InvalidRecordKey', 'get');
    assertEqual(await describe(repo), before, 'the repository');
  }),

  over('a value that is not a plain map is refused', async (repo) => {
    const bytes = new Uint8Array([1, 2, 3]);
    const values: [name: string, value: object][] = [
      ['ArrayBuffer', bytes.buffer],
      ['DataView', new DataView(bytes.buffer)],
      ['Date', new Date(0)],
      ['Map', new Map([['text', 'x']])],
      ['Set', new Set(['x'])],
      ['Blob', new Blob(['x'])],
    ];
    for (const [name, value] of values) {
      await assertRejects(() => repo.put(POST, 'a', value as never), 'InvalidRecord', name);
    }
    assertEqual(await repo.head(), undefined, 'the head');
  }),

  over('a text instead of a CID is a TypeError', async (repo) => {
    const { cid, commit } = await repo.put(POST, 'a', post('one'));
    const before = await describe(repo);
    const swapCommit = String(commit.cid) as never;
    await assertTypeError(() => repo.write([], { swapCommit }), 'write with swapCommit');
    await assertTypeError(() => repo.put(POST, 'a', post('two'), { swapCommit }), 'put');
    await assertTypeError(() => repo.delete(POST, 'a', { swapCommit }), 'delete');
    const tree = await (await repo.checkout()).put(POST, 'b', post('b'));
    await assertTypeError(() => repo.commit(tree, { swapCommit }), 'commit');
    await assertTypeError(() => repo.getBlob(String(cid) as never), 'getBlob');
    assertEqual(await describe(repo), before, 'the repository');
  }),

  over('a record may have a field named __proto__', async (repo) => {
    const value = JSON.parse('{"text":"x","__proto__":{"admin":true},"constructor":"c"}') as Record<string, unknown>;
    await repo.put(POST, 'a', value);
    const found = (await repo.get(POST, 'a'))!.value;
    assert(Object.hasOwn(found, '__proto__'), 'the field exists');
    assertEqual((found as { admin?: unknown }).admin, undefined, 'and is no prototype');
  }),

  over(
    'without a signer commits are unsigned, and verify reports it',
    async (repo) => {
      await repo.write(creates(2));
      assertEqual((await repo.head())?.signed, false, 'signed');
      const report = await repo.verify();
      assertEqual([report.ok, report.signature], [true, 'none'], 'the report');
      const strict = await repo.verify({ key: KEY.did!() });
      assertEqual(
        strict.faults.map(({ code }) => code),
        ['InvalidSignature'],
        'with a key it is a fault',
      );
      await assertRejects(() => repo.verify({ key: 'did:key:bogus' }), 'UnknownKey', 'with an invalid key');
    },
    null,
  ),

  {
    name: 'a signed head needs a signer, which a single write can pass',
    run: async (harness) => {
      const repo = await harness.create({ did: DID });
      await repo.write(creates(1));
      await repo.write(creates(1, 1), { signer: OTHER_KEY });
      assertEqual((await repo.verify({ key: OTHER_KEY.did!() })).signature, 'valid', 'the signature');
      await assertRejects(() => repo.write(creates(1, 2)), 'SignerRequired', 'no signer');
      assertEqual((await repo.info()).records, 2, 'records');
      await repo.close();
    },
  },

  over('an invalid signature of a signer is detected', async (repo) => {
    const did = (): string => KEY.did!();
    const short = { did, sign: () => Promise.resolve(new Uint8Array(63)) };
    await assertRejects(() => repo.write(creates(1), { signer: short }), 'InvalidSignature', 'too short');
    const wrong = { did, sign: (bytes: Uint8Array<ArrayBuffer>) => OTHER_KEY.sign(bytes) };
    await assertRejects(() => repo.write(creates(1), { signer: wrong }), 'InvalidSignature', 'another key');
    const failing = { sign: () => Promise.reject(new Error('no card in the reader')) };
    const error = await repo.write(creates(1), { signer: failing }).catch((cause: unknown) => cause);
    assertEqual((error as Error).message, 'no card in the reader', 'its own error comes out');
    assertEqual(await repo.head(), undefined, 'the head');
    await repo.write(creates(1));
  }),

  over('concurrent writes make one commit each, in order', async (repo) => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => repo.put(POST, rkeyOf(i), post(`${i}`))));
    assertEqual((await listOf(repo.log())).length, 20, 'commits');
    assertEqual((await repo.info()).records, 20, 'records');
    assert((await repo.verify()).ok, 'it is sound');
  }),

  {
    name: 'after close every call rejects, and a second close does nothing',
    run: async (harness) => {
      const repo = await harness.create({ did: DID, signer: KEY });
      await repo.write(creates(1));
      await repo.close();
      await repo.close();
      await assertRejects(() => repo.head(), 'Closed', 'head');
      await assertRejects(() => repo.get(POST, 'a'), 'Closed', 'get');
      await assertRejects(() => repo.write(creates(1)), 'Closed', 'write');
      await assertRejects(() => listOf(repo.list(POST)), 'Closed', 'list');
      await assertRejects(() => repo.importCar(new Uint8Array()), 'Closed', 'importCar');
      await assertRejects(() => repo.exportCar().getReader().read(), 'Closed', 'exportCar');
      await assertRejects(() => repo.putBlob(new Uint8Array(3)), 'Closed', 'putBlob');
      await assertRejects(() => repo.verify(), 'Closed', 'verify');
      await assertRejects(() => repo.gc(), 'Closed', 'gc');
    },
  },

  {
    name: 'acknowledged writes exist after reopening',
    run: async (harness) => {
      if (harness.forgetful) {
        skip('the storage loses its content when it is closed');
      }
      const repo = await harness.create({ did: DID, signer: KEY });
      await repo.write(creates(50), { message: 'fifty' });
      const before = await describe(repo);
      await repo.close();
      const again = await harness.open();
      assertEqual(again.did, DID, 'the did');
      assertEqual(await describe(again), before, 'the repository');
      assertEqual((await listOf(again.log()))[0]?.message, 'fifty', 'the message');
      assert((await again.verify({ key: KEY.did!() })).ok, 'it is sound');
      await again.close();
    },
  },
];
