/** A CAR instead of a repository, and URIs instead of paths. */
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pdsdb } from './run-command.ts';
import { DID, POST, createSampleAccount, exists, json } from './sample-account.ts';

let folder: string;
let remove: () => Promise<void>;
let car: Buffer;
let key: string;
const at = (name: string): string => join(folder, name);
const PROFILE = 'app.bsky.actor.profile/self';

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
  await json(['export', at('alice'), '-o', at('alice.car')]);
  car = await readFile(at('alice.car'));
  [{ did: key }] = (await json(['key', 'inspect', at('key')])) as [{ did: string }];
});
afterAll(() => remove());

describe('a CAR is read like a repository', () => {
  test.each([
    ['ls', ['ls', 'alice']],
    ['ls of a collection', ['ls', 'alice', POST, '--reverse', '--limit', '2', '--values']],
    ['get', ['get', 'alice', PROFILE]],
    ['export', ['export', 'alice']],
    ['diff from nothing', ['diff', 'alice', '-']],
    ['refs', ['refs', 'ls', 'alice']],
    ['missing blobs', ['blob', 'missing', 'alice']],
    ['blobs', ['blob', 'ls', 'alice']],
  ])('%s', async (_, args) => {
    const of = (where: string): string[] => args.map((arg) => (arg === 'alice' ? where : arg));
    for (const more of [[], ['--json']]) {
      const expected = await pdsdb([...of(at('alice')), ...more]);
      expect(expected.code).toBe(0);
      expect(await pdsdb([...of(at('alice.car')), ...more])).toEqual(expected);
      expect(await pdsdb([...of('-'), ...more], { input: car })).toEqual(expected);
    }
    expect(await exists(at('alice.car/pds.lock'))).toBe(false);
  });

  test('info and log show its only commit', async () => {
    const [info] = (await json(['info', at('alice')])) as [{ head: string; rev: string; signed: boolean }];
    expect(await json(['info', at('alice.car')])).toEqual([
      { ...info, commits: 1, blocks: expect.any(Number), size: null, free: null },
    ]);
    expect(await json(['log', at('alice.car')])).toEqual([{ cid: info.head, rev: info.rev, signed: true }]);
  });

  test('verify, with and without the key', async () => {
    expect(await json(['verify', at('alice.car')])).toMatchObject([{ ok: true, faults: [], signature: 'unchecked' }]);
    expect(await json(['verify', at('alice.car'), '--key', key])).toMatchObject([{ ok: true, signature: 'valid' }]);
    expect(await json(['verify', '-', '--key', key], { input: car })).toMatchObject([{ ok: true, signature: 'valid' }]);
    const { did: stranger } = (await json(['key', 'generate']))[0] as { did: string };
    const refused = await pdsdb(['verify', at('alice.car'), '--key', stranger]);
    expect(refused).toMatchObject({
      code: 1,
      stderr: 'error: 1 fault found. To repair a repository, run pdsdb repair.\n',
    });
    expect(refused.stdout).toMatch(/^InvalidSignature\t/);
    expect((await pdsdb(['verify', at('alice.car')])).stdout).toMatch(
      /^ok +yes\nsignature +unchecked\nrecords +4\nblocks +\d+\n$/,
    );
  });

  test.skipIf(process.platform === 'win32')('from a named pipe', async () => {
    await promisify(execFile)('mkfifo', [at('fifo')]);
    const reading = pdsdb(['info', at('fifo'), '--json']);
    createWriteStream(at('fifo')).end(car);
    expect(await reading).toMatchObject({ code: 0, stderr: '' });
  });

  test('a damaged CAR is refused, and a CAR with missing blocks is read as far as possible', async () => {
    await writeFile(at('damaged.car'), car.with(car.length >> 1, car[car.length >> 1]! ^ 1));
    for (const verb of [['ls'], ['info'], ['verify'], ['get', PROFILE]]) {
      expect(await pdsdb([verb[0]!, at('damaged.car'), ...verb.slice(1)])).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^error: a block of the CAR does not match its CID/),
      });
    }
    await writeFile(at('web.car'), '<!DOCTYPE html><title>404</title>');
    for (const verb of ['ls', 'info', 'verify', 'log']) {
      expect((await pdsdb([verb, at('web.car')])).stderr).toBe(
        'error: the input is not a CAR: it is a web page (HTML)\n',
      );
    }
    const before = ((await json(['log', at('alice')])) as { rev: string }[])[1]!.rev;
    await json(['export', at('alice'), '--since', before, '-o', at('since.car')]);
    expect(await json(['log', at('since.car')])).toHaveLength(1);
    expect(await pdsdb(['verify', at('since.car')])).toMatchObject({ code: 1 });
  });

  test.each([
    ['put', () => ['put', at('alice.car'), `${POST}/a`, '{}']],
    ['rm', () => ['rm', at('alice.car'), PROFILE]],
    ['gc', () => ['gc', at('alice.car')]],
    ['refs set', () => ['refs', 'set', at('alice.car'), 'a', 'main']],
    ['refs rm', () => ['refs', 'rm', at('alice.car'), 'a']],
    ['blob add', () => ['blob', 'add', at('alice.car'), at('key')]],
    ['repair', () => ['repair', at('alice.car')]],
    ['backup', () => ['backup', at('alice.car'), at('backup')]],
    ['import', () => ['import', at('alice.car'), at('alice.car')]],
  ])('%s says to import it first', async (_, args) => {
    const outcome = await pdsdb([...args(), '--json']);
    expect(outcome).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`import it first: pdsdb import <repo> ${at('alice.car')}`),
    });
    expect(JSON.parse(outcome.stdout)).toMatchObject({ error: 'InvalidRequest' });
    expect(await readFile(at('alice.car'))).toEqual(car);
  });
});

describe('the URI that put prints', () => {
  const uri = `at://${DID}/${PROFILE}`;

  test('is a path for get, put, rm and ls', async () => {
    for (const where of [at('alice'), at('alice.car')]) {
      expect(await json(['get', where, uri])).toEqual(await json(['get', at('alice'), PROFILE]));
      expect(await json(['ls', where, `at://${DID}/${POST}`])).toEqual(await json(['ls', where, POST]));
      expect(await json(['ls', where, `at://${DID}`])).toEqual(await json(['ls', where]));
      expect(await json(['ls', where, `at://${DID}/`])).toEqual(await json(['ls', where]));
    }
    await json(['init', at('written'), '--did', DID]);
    const [put] = (await json(['put', at('written'), uri, '{"displayName":"A"}'])) as [{ uri: string }];
    expect(put.uri).toBe(uri);
    const [made] = (await json(['put', at('written'), `at://${DID}/${POST}`, '{"text":"a"}'])) as [{ uri: string }];
    expect(made.uri).toMatch(new RegExp(`^at://${DID}/${POST}/[2-7a-z]{13}$`));
    expect(await json(['get', at('written'), made.uri])).toMatchObject([{ uri: made.uri }]);
    expect(await json(['rm', at('written'), made.uri])).toMatchObject([{ uri: made.uri }]);
    expect(await pdsdb(['get', at('written'), made.uri])).toMatchObject({ code: 1 });
  });

  test.each([
    [
      'WrongDid',
      `at://did:web:bob.example/${PROFILE}`,
      /the URI belongs to another account: .*; expected=did:web:alice/,
    ],
    ['InvalidRequest', `at://alice.example/${PROFILE}`, /handles are not resolved. Write at:\/\/did:web:alice/],
    ['InvalidRequest', `at://${DID}/${POST}`, /The record key is missing/],
    ['InvalidRequest', `at://${DID}`, /The record key is missing/],
    ['InvalidRecordKey', `${uri}#fragment`, /./],
    ['InvalidRecordKey', `${uri}/more`, /./],
    ['InvalidCollection', `at://${DID}//self`, /./],
  ])('%s: %s', async (code, wrong, message) => {
    for (const [verb, ...more] of [['get'], ['rm', '--key', at('key')]]) {
      const outcome = await pdsdb([verb!, at('alice'), wrong, ...more, '--json']);
      expect(outcome).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
      expect(JSON.parse(outcome.stdout)).toMatchObject({ error: code });
    }
  });

  test('of a record is not a collection', async () => {
    expect((await pdsdb(['ls', at('alice'), uri])).stderr).toMatch(/a record, not of a collection. .* run pdsdb get/);
  });
});
