/** The verbs, run in the process of the test. `process.slow.test.ts` tests the command as a process. */
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pdsdb } from './run-command.ts';
import { DID, POST, createSampleAccount, json } from './sample-account.ts';

const CID = expect.stringMatching(/^baf[a-z2-7]{56}$/) as string;
const TID = expect.stringMatching(/^[2-7a-z]{13}$/) as string;

let folder: string;
let remove: () => Promise<void>;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
});
afterAll(() => remove());

describe('results', () => {
  test('init makes a signed first commit with a key, and no commit without one', async () => {
    expect(await json(['init', at('init-signed'), '--did', DID, '--key', at('key')])).toEqual([
      { did: DID, head: CID, rev: TID },
    ]);
    expect(await json(['init', at('init-plain'), '--did', DID])).toEqual([{ did: DID, head: null, rev: null }]);
    expect(await pdsdb(['init', at('init-plain'), '--did', DID])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: /),
    });
    expect(await readdir(at('init-plain'))).not.toContain('pds.lock');
  });

  test('info', async () => {
    const [info] = await json(['info', at('alice')]);
    expect(info).toEqual({
      did: DID,
      head: CID,
      rev: TID,
      data: CID,
      signed: true,
      commits: 5,
      records: 4,
      blocks: expect.any(Number),
      blobs: 0,
      size: expect.any(Number),
      free: 0,
      others: [],
      collections: { [POST]: 3, 'app.bsky.actor.profile': 1 },
    });
    const { stdout } = await pdsdb(['info', at('alice')]);
    expect(stdout).toMatch(/^did {2,}did:web:alice\.example\nhead {2,}baf/);
    const columns = stdout
      .trimEnd()
      .split('\n')
      .map((line) => /^.*? {2,}/.exec(line)![0].length);
    expect(new Set(columns).size).toBe(1);
  });

  test('ls', async () => {
    const paths = [
      `app.bsky.actor.profile/self`,
      `${POST}/3l3qo2vutsw2a`,
      `${POST}/3l3qo2vutsw2b`,
      `${POST}/3l3qo2vutsw2c`,
    ];
    expect(await json(['ls', at('alice')])).toEqual(paths.map((path) => ({ path, cid: CID })));
    const { stdout } = await pdsdb(['ls', at('alice')]);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t')),
    ).toEqual(paths.map((path) => [path, CID]));
    expect(await json(['ls', at('alice'), POST, '--reverse', '--limit', '1', '--values'])).toEqual([
      { path: paths[3], cid: CID, value: { $type: POST, text: 'post 2' } },
    ]);
    expect(await json(['ls', at('alice'), POST, '--cursor', '3l3qo2vutsw2a', '--limit', '1'])).toEqual([
      { path: paths[2], cid: CID },
    ]);
    expect(await json(['ls', at('alice'), 'app.bsky.feed.like'])).toEqual([]);
  });

  test('get prints the value, with --json also its URI and CID', async () => {
    const path = 'app.bsky.actor.profile/self';
    const value = { $type: 'app.bsky.actor.profile', displayName: 'Alice' };
    expect(await json(['get', at('alice'), path])).toEqual([{ uri: `at://${DID}/${path}`, cid: CID, value }]);
    expect(JSON.parse((await pdsdb(['get', at('alice'), path])).stdout)).toEqual(value);
  });

  test('put creates, replaces, and chooses a TID; rm deletes; log and diff show it', async () => {
    const repo = at('changing');
    await json(['init', repo, '--did', DID]);
    await writeFile(at('post.json'), '{"text":"from a file"}');
    const [made] = (await json(['put', repo, POST, `@${at('post.json')}`, '-m', 'first'])) as [
      { uri: string; cid: string; commit: { cid: string; rev: string } },
    ];
    expect(made).toEqual({
      uri: expect.stringMatching(new RegExp(`^at://${DID}/${POST}/[2-7a-z]{13}$`)),
      cid: CID,
      commit: { cid: CID, rev: TID },
    });
    const path = made.uri.slice(`at://${DID}/`.length);
    const [changed] = (await json(['put', repo, path, '{"text":"changed"}'])) as [typeof made];
    expect(changed.uri).toBe(made.uri);
    expect(await json(['rm', repo, path])).toEqual([{ uri: made.uri, commit: { cid: CID, rev: TID } }]);
    const log = (await json(['log', repo])) as { rev: string }[];
    expect(log).toEqual([
      { cid: CID, rev: TID, signed: false },
      { cid: changed.commit.cid, rev: changed.commit.rev, signed: false },
      { cid: made.commit.cid, rev: made.commit.rev, signed: false, message: 'first' },
    ]);
    expect(await json(['log', repo, '--limit', '1'])).toEqual([log[0]]);
    expect(await json(['diff', repo, made.commit.rev, changed.commit.cid])).toEqual([
      { action: 'update', path, prev: made.cid, cid: changed.cid },
    ]);
    expect(await json(['diff', repo, changed.commit.rev])).toEqual([{ action: 'delete', path, prev: changed.cid }]);
    expect(await json(['diff', repo, '-', made.commit.rev])).toEqual([{ action: 'create', path, cid: made.cid }]);
    expect(await json(['refs', 'set', repo, 'before', made.commit.rev])).toEqual([
      { name: 'before', cid: made.commit.cid },
    ]);
    expect(await json(['refs', 'ls', repo])).toEqual([
      { name: 'before', cid: made.commit.cid },
      { name: 'main', cid: CID },
    ]);
    expect(await json(['refs', 'rm', repo, 'before'])).toEqual([{ name: 'before' }]);
    const [gone] = (await json(['gc', repo])) as [{ blocks: number; commits: number; blobs: number }];
    expect(gone).toMatchObject({ commits: 2, blobs: 0 });
    expect(gone.blocks).toBeGreaterThan(2);
    expect(await json(['verify', repo])).toEqual([
      { ok: true, faultCount: 0, faults: [], signature: 'none', records: 0, blocks: expect.any(Number), blobs: 0 },
    ]);
  });

  test('export and import make an equal repository in another folder', async () => {
    const [info] = (await json(['info', at('alice')])) as [{ head: string; rev: string; records: number }];
    const { did: key } = (await json(['key', 'inspect', at('key')]))[0] as { did: string };
    expect(await json(['export', at('alice'), '-o', at('alice.car')])).toEqual([
      { head: info.head, rev: info.rev, bytes: (await stat(at('alice.car'))).size, file: at('alice.car') },
    ]);
    const counts = {
      head: info.head,
      rev: info.rev,
      blocks: expect.any(Number),
      created: info.records,
      updated: 0,
      deleted: 0,
      unchanged: 0,
      missingBlobs: 0,
    };
    expect(await json(['import', at('from-file'), at('alice.car'), '--key', key])).toEqual([counts]);
    expect(await json(['import', at('deep/from/stdin'), '-'], { input: await readFile(at('alice.car')) })).toEqual([
      counts,
    ]);
    expect(await readdir(at('deep/from'))).toEqual(['stdin']);
    expect(await json(['import', at('from-file'), at('alice.car')])).toEqual([
      { ...counts, blocks: 0, created: 0, unchanged: info.records },
    ]);
    expect(await json(['verify', at('from-file'), '--key', key])).toEqual([
      { ok: true, faultCount: 0, faults: [], signature: 'valid', records: 4, blocks: 7, blobs: 0 },
    ]);
    const piped = await pdsdb(['export', at('alice')]);
    expect(piped.stdout.length).toBeGreaterThan(500);
    expect(piped).toMatchObject({ code: 0, stderr: '' });
  });

  test('blobs', async () => {
    const repo = at('blobs');
    await json(['init', repo, '--did', DID]);
    await writeFile(at('picture.png'), 'not really a picture');
    const [ref] = (await json(['blob', 'add', repo, at('picture.png')])) as [{ ref: { $link: string } }];
    expect(ref).toEqual({
      $type: 'blob',
      ref: { $link: expect.stringMatching(/^bafkrei/) },
      mimeType: 'image/png',
      size: 20,
    });
    const cid = ref.ref.$link;
    expect(await json(['blob', 'ls', repo])).toEqual([{ cid, size: 20, mimeType: 'image/png' }]);
    expect((await pdsdb(['blob', 'get', repo, cid])).stdout).toBe('not really a picture');
    await json(['blob', 'get', repo, cid, '-o', at('copy.png')]);
    expect(await readFile(at('copy.png'), 'utf8')).toBe('not really a picture');
    const [other] = (await json(['blob', 'add', at('alice'), '-', '--type', 'text/plain'], { input: 'other' })) as [
      typeof ref,
    ];
    expect(other).toMatchObject({ mimeType: 'text/plain', size: 5 });
    await json(['put', repo, `${POST}/a`, JSON.stringify({ text: 'with blobs', here: ref, elsewhere: other })]);
    expect(await json(['blob', 'missing', repo])).toEqual([
      { cid: other.ref.$link, size: 5, mimeType: 'text/plain', uri: `at://${DID}/${POST}/a` },
    ]);
  });

  test('keys', async () => {
    expect((await stat(at('key'))).mode & 0o777).toBe(0o600);
    expect(await readFile(at('key'), 'utf8')).toMatch(/^secp256k1:[0-9a-f]{64}\n$/);
    const [made] = (await json(['key', 'generate', '--curve', 'p256'])) as [{ did: string }];
    expect(made).toEqual({
      did: expect.stringMatching(/^did:key:zDn/),
      curve: 'p256',
      key: expect.stringMatching(/^p256:[0-9a-f]{64}$/),
    });
    expect(await json(['key', 'inspect', made.did])).toEqual([{ did: made.did, curve: 'p256', secret: false }]);
    const { stdout } = await pdsdb(['key', 'inspect', at('key')]);
    expect(stdout).not.toContain((await readFile(at('key'), 'utf8')).trim().split(':')[1]);
  });

  test('help names every verb, and each has an example', async () => {
    const { code, stdout, stderr } = await pdsdb(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const verbs = [...stdout.split('Commands:')[1]!.matchAll(/^ {2}([a-z-]+)[ |]/gm)]
      .map(([, verb]) => verb!)
      .filter((verb) => verb !== 'help');
    expect(verbs).toEqual([
      'init',
      'clone',
      'pull',
      'follow',
      'status',
      'outbox',
      'push',
      'migrate',
      'login',
      'logout',
      'resolve',
      'import',
      'export',
      'info',
      'stats',
      'ls',
      'get',
      'put',
      'rm',
      'restore-record',
      'log',
      'diff',
      'tree',
      'prove',
      'verify',
      'repair',
      'backup',
      'restore',
      'copy',
      'unpack',
      'pack',
      'car',
      'blob',
      'refs',
      'reset',
      'branch',
      'recommit',
      'gc',
      'key',
      'version',
    ]);
    for (const verb of [['ls'], ['blob', 'add'], ['key', 'generate']]) {
      expect((await pdsdb([...verb, '--help'])).stdout).toMatch(
        new RegExp(`Examples?:\n {2}\\$ pdsdb ${verb.join(' ')} `),
      );
    }
  });
});
