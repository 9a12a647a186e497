/** Pushes to a real PDS, with each result that a request can have. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Account, Session } from '../../src/sync.ts';
import type { HostedAccount, Pds } from './network.ts';
import { useNetwork } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import type { Device } from './outbox-device.ts';
import { accountOf, hostRecords, memoryDevice, NOTE, note, pathOf } from './outbox-device.ts';

const WRITES = /putRecord|deleteRecord|applyWrites/;

describe.skipIf(lacksPds)(`push to a PDS${why}`, () => {
  const network = useNetwork({ proxy: true });
  let pds: Pds;
  let account: HostedAccount;
  let known: Account;
  let device: Device;
  beforeAll(async () => {
    pds = network.pds[0]!;
    account = await pds.createAccount();
    known = await accountOf(network, account);
  });
  afterAll(() => network.stop());
  beforeEach(async () => {
    pds.faults.clear();
    await reset();
    device = memoryDevice(account, known);
    await device.pull();
  });

  /** Writes as another device does. */
  const write = async (rkey: string, text: string | null): Promise<void> => {
    const { repo } = account.agent.com.atproto;
    const target = { repo: account.did, collection: NOTE, rkey };
    await (text === null ? repo['deleteRecord']!(target) : repo['putRecord']!({ ...target, record: note(text) }));
  };
  /** Gives the account the records b, d and f, and no others. */
  const reset = async (): Promise<void> => {
    const op = (kind: string, path: string, more: object = {}): object => {
      const [collection, rkey] = path.split('/');
      return { $type: `com.atproto.repo.applyWrites#${kind}`, collection, rkey, ...more };
    };
    const posts = await hostRecords(pds, account.did, 'app.bsky.feed.post');
    const writes = [...(await onHost()).keys(), ...posts.keys()].map((path) => op('delete', path));
    const fresh = ['b', 'd', 'f'].map((rkey) => op('create', pathOf(rkey), { value: note(rkey.toUpperCase()) }));
    const repo = account.did;
    for (let i = 0; i < writes.length; i += 200) {
      await account.agent.com.atproto.repo['applyWrites']!({ repo, writes: writes.slice(i, i + 200) });
    }
    await account.agent.com.atproto.repo['applyWrites']!({ repo, writes: fresh });
  };
  const onHost = (): Promise<Map<string, string>> => hostRecords(pds, account.did);
  const requests = (): number => pds.faults.log.filter(({ url }) => WRITES.test(url)).length;
  const states = async (): Promise<string[]> =>
    (await device.outbox.pending()).map(({ rkey, state }) => `${rkey} ${state}`);
  const three = async (): Promise<void> => {
    await device.outbox.put(NOTE, 'a', note('A'));
    await device.outbox.put(NOTE, 'b', note('B2'));
    await device.outbox.delete(NOTE, 'd');
  };
  /** The copy has the host's records, nothing is pending, and nothing is damaged. */
  const expectSame = async (): Promise<void> => {
    expect(await states()).toEqual([]);
    const local = new Map<string, string>();
    for await (const { rkey, cid, pending } of device.outbox.list(NOTE)) {
      expect(pending).toBeUndefined();
      local.set(pathOf(rkey), String(cid));
    }
    expect(Object.fromEntries(local)).toEqual(Object.fromEntries(await onHost()));
    expect((await device.repo.verify()).faults).toEqual([]);
    expect((await device.repo.verify({ at: 'outbox' })).faults).toEqual([]);
  };

  test('sends a create, an update and a deletion, each once', async () => {
    await three();
    const before = requests();
    const progress: unknown[] = [];
    const result = await device.push({ onProgress: ({ done, path }) => progress.push([done, path]) });
    expect(result).toEqual({
      status: 'done',
      landed: [pathOf('a'), pathOf('b'), pathOf('d')],
      conflicts: [],
      rejected: [],
      pending: 0,
    });
    expect(progress).toEqual([
      [0, pathOf('a')],
      [1, pathOf('b')],
      [2, pathOf('d')],
      [3, undefined],
    ]);
    expect(requests() - before).toBe(3);
    await expectSame();
    expect(await device.push()).toMatchObject({ status: 'done', landed: [] });
    expect(requests() - before).toBe(3);
  });

  test('a landed change is not pending before the pull, and its value is not lost', async () => {
    await three();
    let pulls = 0;
    const pull = async (): Promise<void> => {
      pulls += 1;
      if (pulls === 2) {
        expect(await states()).toEqual([]);
        expect(await device.outbox.get(NOTE, 'a')).toMatchObject({ value: note('A') });
        expect((await device.outbox.get(NOTE, 'a'))!.pending).toBeUndefined();
        expect(await device.outbox.get(NOTE, 'd')).toBeUndefined();
        throw new TypeError('no network');
      }
      await device.pull();
    };
    await expect(device.push({ pull })).rejects.toThrow('no network');
    await device.outbox.put(NOTE, 'a', note('A3'));
    expect(await states()).toEqual(['a queued']);
    expect(await device.push()).toMatchObject({ status: 'done', landed: [pathOf('a')] });
    await expectSame();
  });

  test('a change of the other side is a conflict with both values, and others land', async () => {
    await three();
    await device.outbox.put(NOTE, 'f', note('F2'));
    await write('b', 'theirs');
    await write('f', null);
    const result = await device.push();
    expect(result).toMatchObject({ status: 'done', conflicts: [pathOf('b'), pathOf('f')], pending: 2 });
    expect(result.landed).toEqual([pathOf('a'), pathOf('d')]);
    expect((await device.repo.get(NOTE, 'b'))!.value).toEqual(note('theirs'));
    expect((await device.outbox.get(NOTE, 'b'))!.value).toEqual(note('B2'));
    expect((await onHost()).has(pathOf('f'))).toBe(false);
    await device.outbox.resolve(pathOf('b'), 'ours');
    await device.outbox.resolve(pathOf('f'), 'theirs');
    expect(await device.push()).toMatchObject({ landed: [pathOf('b')], conflicts: [], pending: 0 });
    await expectSame();
  });

  test('a change between the pull and the request is a conflict too', async () => {
    await three();
    let isFirst = true;
    const session: Session = async (pathname, init) => {
      if (isFirst && WRITES.test(pathname)) {
        isFirst = false;
        await write('a', 'theirs');
        await write('b', null);
      }
      return device.session(pathname, init);
    };
    expect(await device.push({ session })).toMatchObject({
      conflicts: [pathOf('a'), pathOf('b')],
      landed: [pathOf('d')],
    });
    await device.outbox.resolve(pathOf('a'), note('both'));
    await device.outbox.resolve(pathOf('b'), 'theirs');
    await device.push();
    await expectSame();
  });

  test.each([
    ['a lost response', { loseResponse: true }],
    ['a refused connection', { refuse: true }],
    ['503', { status: 503 }],
    ['500', { status: 500 }],
    ['a response that is not JSON', { edit: () => Buffer.from('<html>') }],
  ])('after %s to each write, every change lands once', async (_, fault) => {
    await three();
    for (const match of [/putRecord/, /putRecord/, /deleteRecord/]) {
      pds.faults.next({ match, ...fault });
    }
    expect(await device.push()).toMatchObject({ status: 'done', pending: 0, conflicts: [] });
    await expectSame();
  });

  test('an unknown result stays unknown while the host cannot be reached', async () => {
    await three();
    pds.faults.next({ match: /putRecord/, loseResponse: true });
    let pulls = 0;
    const pull = async (): Promise<void> => {
      pulls += 1;
      if (pulls > 1) {
        pds.faults.next({ match: /getLatestCommit/, times: 4, refuse: true });
      }
      await device.pull();
    };
    expect(await device.push({ pull })).toMatchObject({ status: 'unreachable', pending: 3, landed: [] });
    expect(await states()).toEqual(['a unknown', 'b queued', 'd queued']);
    pds.faults.clear();
    const before = requests();
    await device.outbox.put(NOTE, 'a', note('A2'));
    expect(await device.push()).toMatchObject({ status: 'done', pending: 0, conflicts: [] });
    expect(requests() - before).toBe(3);
    await expectSame();
  });

  test('a lost create is a conflict if the host has moved', async () => {
    await three();
    pds.faults.next({ match: /putRecord/, loseResponse: true });
    const offline = async (): Promise<void> => {
      if ((await states()).some((state) => state.endsWith('unknown'))) {
        pds.faults.next({ match: /getLatestCommit/, times: 4, refuse: true });
      }
      await device.pull();
    };
    await device.push({ pull: offline });
    pds.faults.clear();
    await write('a', null);
    expect(await device.push()).toMatchObject({ conflicts: [pathOf('a')], landed: [pathOf('b'), pathOf('d')] });
    expect((await onHost()).has(pathOf('a'))).toBe(false);
  });

  test('a rate limit stops the push, and says when it ends', async () => {
    await three();
    const reset = Math.floor(Date.now() / 1000) + 100;
    pds.faults.next({ match: /putRecord/, status: 429, headers: { 'ratelimit-reset': `${reset}` } });
    const before = requests();
    expect(await device.push()).toMatchObject({ status: 'rateLimited', resetAt: reset * 1000, pending: 3 });
    expect(requests() - before).toBe(1);
    expect((await device.outbox.pending()).map(({ state, attempts }) => `${state} ${attempts}`)).toEqual(
      Array<string>(3).fill('queued 0'),
    );
    await device.push();
    await expectSame();
  });

  test.each([
    [401, 'AuthMissing'],
    [400, 'ExpiredToken'],
  ])('a session that is over consumes no attempt: %s %s', async (status, error) => {
    await three();
    pds.faults.next({ match: /putRecord/, status, body: { error, message: 'no' }, times: 5 });
    expect(await device.push()).toMatchObject({ status: 'waitingForSession', pending: 3 });
    const [first] = await device.outbox.pending();
    expect(first).toMatchObject({ state: 'waitingForSession', attempts: 0, error: { code: 'AuthenticationRequired' } });
    pds.faults.clear();
    await device.push();
    await expectSame();
  });

  test('a refused record does not stop the others', async () => {
    await three();
    const [post, rkey] = ['app.bsky.feed.post', '3jzfcijpj2z2a'];
    await device.outbox.put(post, rkey, { $type: post, text: 5, createdAt: new Date().toISOString() });
    const result = await device.push();
    expect(result).toMatchObject({ status: 'done', rejected: [`${post}/${rkey}`], pending: 1 });
    expect(result.landed).toHaveLength(3);
    const [refused] = await device.outbox.pending();
    expect(refused!.error!.message).toMatch(/InvalidRequest: .*text/);
    await device.outbox.put(post, rkey, { $type: post, text: 'right', createdAt: new Date().toISOString() });
    expect(await device.push()).toMatchObject({ landed: [`${post}/${rkey}`], pending: 0 });
  });

  test('uploads blobs first, and again if the host has deleted them', async () => {
    const file = await device.repo.putBlob(new TextEncoder().encode('<svg>'), { mimeType: 'image/svg+xml' });
    await device.outbox.put(NOTE, 'a', note('A', { file }));
    await device.repo.gc({ blobs: true, blobAge: 0 });
    expect(await device.push()).toMatchObject({ landed: [pathOf('a')] });
    // The host deletes the blob with its last record.
    await write('a', null);
    await device.pull();
    await device.outbox.put(NOTE, 'a', note('A', { file }));
    pds.faults.next({ match: /uploadBlob/, edit: (body) => body, delay: 1 });
    expect(await device.push()).toMatchObject({ landed: [pathOf('a')], pending: 0 });
    await expectSame();
    const query = new URLSearchParams({ did: account.did, cid: String(file.ref) });
    const blob = await fetch(`${pds.directUrl}/xrpc/com.atproto.sync.getBlob?${query}`);
    expect(await blob.text()).toBe('<svg>');
  });

  test('a blob that the host lacks at the write is uploaded again, once', async () => {
    const file = await device.repo.putBlob(new TextEncoder().encode('text'), { mimeType: 'text/plain' });
    await device.outbox.put(NOTE, 'a', note('A', { file }));
    const missing = { status: 400, body: { error: 'BlobNotFound', message: 'Could not find blob' } };
    pds.faults.next({ match: /putRecord/, ...missing });
    const uploads = (): number => pds.faults.log.filter(({ url }) => url.includes('uploadBlob')).length;
    const before = uploads();
    expect(await device.push()).toMatchObject({ landed: [pathOf('a')] });
    expect(uploads() - before).toBe(2);
    await device.outbox.put(NOTE, 'a', note('A2', { file }));
    pds.faults.next({ match: /putRecord/, times: 2, ...missing });
    expect(await device.push()).toMatchObject({ rejected: [pathOf('a')] });
  });

  test('another CID from the host refuses the record', async () => {
    const file = await device.repo.putBlob(new TextEncoder().encode('text'), { mimeType: 'text/plain' });
    await device.outbox.put(NOTE, 'a', note('A', { file }));
    const body = { blob: { $type: 'blob', ref: { $link: 'bafkreiother' }, mimeType: 'text/plain', size: 4 } };
    pds.faults.next({ match: /uploadBlob/, status: 200, body });
    const before = requests();
    expect(await device.push()).toMatchObject({ rejected: [pathOf('a')] });
    expect(requests()).toBe(before);
  });

  test('an atomic write is one commit, also while the host moves', async () => {
    const ops = ['a', 'b', 'c'].map(
      (rkey) => ({ action: 'put', collection: NOTE, rkey, value: note(`${rkey}2`) }) as const,
    );
    await device.outbox.write([...ops, { action: 'delete', collection: NOTE, rkey: 'd' }], { atomic: true });
    let moves = 2;
    const session: Session = async (pathname, init) => {
      if (moves > 0 && WRITES.test(pathname)) {
        await write(`other${moves--}`, 'x');
      }
      return device.session(pathname, init);
    };
    const before = requests();
    expect(await device.push({ session })).toMatchObject({ status: 'done', pending: 0 });
    expect(requests() - before).toBe(5);
    await expectSame();
  });

  test('a conflict stops the whole atomic write, and large ones are cut', async () => {
    const ops = ['a', 'b'].map((rkey) => ({ action: 'put', collection: NOTE, rkey, value: note(`${rkey}2`) }) as const);
    await device.outbox.write(ops, { atomic: true });
    await write('b', 'theirs');
    expect(await device.push()).toMatchObject({ conflicts: [pathOf('b')], landed: [], pending: 2 });
    await device.outbox.resolve(pathOf('b'), 'ours');
    expect(await device.push()).toMatchObject({ landed: [pathOf('a'), pathOf('b')] });
    const many = Array.from(
      { length: 250 },
      (_, i) => ({ action: 'put', collection: NOTE, rkey: `k${i}`, value: note('x'.repeat(900)) }) as const,
    );
    await device.outbox.write(many, { atomic: true });
    const before = requests();
    expect((await device.push()).landed).toHaveLength(250);
    expect(requests() - before).toBe(2);
    await expectSame();
  });

  test('two pushes at once send each change once', async () => {
    await three();
    const before = requests();
    await Promise.all([device.push(), device.push(), device.push()]);
    expect(requests() - before).toBe(3);
    await expectSame();
  });

  test('an abort leaves the change unknown, and the next push decides', async () => {
    await three();
    const abort = new AbortController();
    pds.faults.next({ match: /putRecord/, delay: 60_000 });
    await device.session.signIn();
    const session: Session = (pathname, init) => {
      setTimeout(() => abort.abort(new Error('stop')), 300);
      return device.session(pathname, init);
    };
    await expect(device.push({ session, signal: abort.signal })).rejects.toThrow('stop');
    expect(await states()).toEqual(['a unknown', 'b queued', 'd queued']);
    await device.push();
    await expectSame();
  });
});
