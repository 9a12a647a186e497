/** The verb `copy` between folders. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withoutPassword } from '../../src/cli/terminal/postgres-url.ts';
import { openRepo } from '../../src/node.ts';
import { KEY } from '../../src/testing/repo/harness.ts';
import { fillRepo } from '../random/fill-repo.ts';
import { contentOf } from '../random/repo-content.ts';
import { jsonLines, pdsdb } from './run-command.ts';

const DID = 'did:web:alice.example';

let folder: string;
const at = (name: string): string => join(folder, name);
const contentAt = async (name: string): Promise<unknown> => {
  await using repo = await openRepo(at(name), { readOnly: true });
  return await contentOf(repo);
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pdsdb-cli-copy-'));
  expect(await pdsdb(['init', at('alice'), '--did', DID])).toMatchObject({ code: 0 });
  await using repo = await openRepo(at('alice'), { signer: KEY });
  await fillRepo(repo, 4);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('copies everything into a new folder, and prints what the copy has', async () => {
  const { code, stdout, stderr } = await pdsdb(['copy', at('alice'), at('made/bob'), '--json']);
  expect([code, stderr]).toEqual([0, '']);
  const info = jsonLines((await pdsdb(['info', at('alice'), '--json'])).stdout)[0] as Record<string, unknown>;
  const copied = jsonLines(stdout)[0] as Record<string, unknown>;
  const { did, head, rev, records, commits, blobs } = info;
  expect(copied).toMatchObject({ did, head, rev, records, commits, blobs });
  expect(Object.keys(copied).sort()).toEqual(
    ['did', 'head', 'rev', 'records', 'commits', 'refs', 'blocks', 'blobs', 'bytes'].sort(),
  );
  expect(await contentAt('made/bob')).toEqual(await contentAt('alice'));
  expect(await pdsdb(['verify', at('made/bob'), '--key', KEY.did()])).toMatchObject({ code: 0 });
});

test('copies into an empty repository, without blobs, and shows progress on a terminal', async () => {
  await pdsdb(['init', at('empty'), '--did', DID]);
  const { code, stdout, stderr } = await pdsdb(['copy', at('alice'), at('empty'), '--no-blobs'], { isTTY: true });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^did +did:web:alice.example$/m);
  expect(stdout).toMatch(/^blobs +0$/m);
  expect(stderr).toContain('blocks');
  expect(await pdsdb(['blob', 'ls', at('empty')])).toMatchObject({ code: 0, stdout: '' });
});

test('copies into a folder that a killed copy has left', async () => {
  mkdirSync(at('killed/blobs/ba'), { recursive: true });
  writeFileSync(at('killed/pds.db'), '');
  expect(await pdsdb(['copy', at('alice'), at('killed')])).toMatchObject({ code: 0 });
  expect(await contentAt('killed')).toEqual(await contentAt('alice'));
});

test('refuses a target that is not empty, of another account, or not a repository', async () => {
  await pdsdb(['init', at('other'), '--did', 'did:web:other.example']);
  await pdsdb(['copy', at('alice'), at('full')]);
  writeFileSync(at('file'), 'x');
  const before = await contentAt('full');
  const refused = async (to: string): Promise<unknown> => {
    const { code, stdout } = await pdsdb(['copy', at('alice'), to, '--json']);
    return [code, (jsonLines(stdout)[0] as { error: string }).error];
  };
  expect(await refused(at('full'))).toEqual([1, 'RepoExists']);
  expect(await refused(at('alice'))).toEqual([1, 'InvalidRequest']);
  expect(await refused(folder)).toEqual([1, 'RepoExists']);
  expect(await refused(at('other'))).toEqual([1, 'WrongDid']);
  expect(await refused(at('file'))).toEqual([1, 'InvalidRequest']);
  expect(await refused('')).toEqual([1, 'InvalidRequest']);
  expect(await contentAt('full')).toEqual(before);
  expect(await pdsdb(['copy', at('missing'), at('new')])).toMatchObject({ code: 1 });
  expect(readdirSync(folder)).not.toContain('new');
});

test('a damaged source leaves no folder if it fails before the blobs, and an interrupt leaves no commit', async () => {
  await pdsdb(['copy', at('alice'), at('damaged')]);
  const [name] = readdirSync(at('damaged/blobs/ba'));
  const path = join(at('damaged/blobs/ba'), name!);
  writeFileSync(path, Uint8Array.from([...readFileSync(path), 1]));
  const { code, stdout } = await pdsdb(['copy', at('damaged'), at('target'), '--json']);
  expect([code, jsonLines(stdout)[0]]).toEqual([
    1,
    { error: 'Corrupt', message: expect.stringContaining(name!) as string },
  ]);
  expect(readdirSync(folder)).not.toContain('target');
  const abort = new AbortController();
  const copying = pdsdb(['copy', at('alice'), at('stopped')], { signal: abort.signal });
  abort.abort();
  expect(await copying).toMatchObject({ code: 130 });
  expect(await pdsdb(['copy', at('alice'), at('stopped')])).toMatchObject({ code: 0 });
  expect(await contentAt('stopped')).toEqual(await contentAt('alice'));
});

test('a database without an account is refused before pg is loaded, and no message shows a password', async () => {
  const url = 'postgres://user:secret@localhost/accounts';
  const outcomes = [
    await pdsdb(['copy', url, at('x')]),
    await pdsdb(['copy', `${url}#did:web:a.example`, at('x')]),
    await pdsdb(['import', `${url}#did:web:a.example`, at('alice.car')]),
  ];
  expect(outcomes.map(({ code, stderr }) => [code, stderr.split(/[.:]/)[1]])).toEqual([
    [1, ' The address of the database has no account'],
    [1, ' Cannot connect to PostgreSQL'],
    [1, ' This verb needs a folder, and the argument is a PostgreSQL database'],
  ]);
  expect(outcomes[1]!.stderr).toContain('npm install pg');
  expect(JSON.stringify(outcomes)).not.toContain('secret');
});

test.each([
  [
    'postgres://user:secret@localhost/accounts#did:web:a.example',
    'postgres://user:***@localhost/accounts#did:web:a.example',
  ],
  [
    'postgresql://u:se@cr#et@/x?host=/tmp&password=secret#did:web:a',
    'postgresql://u:***@/x?host=/tmp&password=***#did:web:a',
  ],
  ['postgres://localhost/x', 'postgres://localhost/x'],
  ['user:secret@folder', 'user:secret@folder'],
])('the password of a database is replaced in messages: %s', (where, shown) => {
  expect(withoutPassword(where)).toBe(shown);
});
