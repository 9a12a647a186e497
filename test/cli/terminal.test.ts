/** Output for terminals only, and output that must not reach a terminal. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseKey } from '../../src/cli/key/key-file.ts';
import { mimeTypeOf } from '../../src/cli/blob/mime-type.ts';
import { formatBytes } from '../../src/cli/terminal/progress.ts';
import { parseRecordPath } from '../../src/cli/record/record-path.ts';
import { pdsdb } from './run-command.ts';

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pdsdb-terminal-'));
  await pdsdb(['init', at('repo'), '--did', 'did:web:alice.example']);
  await pdsdb([
    'put',
    at('repo'),
    'app.bsky.feed.post/a',
    '{"text":"red \\u001b[31m and \\u009b31m, and a\\ttab"}',
    '-m',
    'tab\there\u001b[2J',
  ]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('progress is a line during the work, and only on a terminal', async () => {
  const shown = await pdsdb(['verify', at('repo')], { isTTY: true });
  expect(shown.stderr).toMatch(/^\r\u001b\[2K[a-z]+: [\d.]+ \w+, \d+ blocks, \d+ records/);
  expect(shown.stderr.endsWith('\r\u001b[2K')).toBe(true);
  expect((await pdsdb(['verify', at('repo')])).stderr).toBe('');
});

test('a CAR does not go to a terminal', async () => {
  expect(await pdsdb(['export', at('repo')], { isTTY: true })).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('-o <file>'),
  });
});

test('content of a repository cannot move the cursor or break a line', async () => {
  const log = (await pdsdb(['log', at('repo')])).stdout;
  expect(log).toContain('tab\\u0009here\\u001b[2J');
  expect(log.trimEnd().split('\t')).toHaveLength(4);
  for (const args of [
    ['ls', at('repo'), '--values'],
    ['get', at('repo'), 'app.bsky.feed.post/a'],
  ]) {
    const { stdout } = await pdsdb(args);
    expect(stdout).not.toMatch(/[\u001b\u009b]/);
    expect(stdout).toContain('\\u001b[31m and \\u009b31m');
  }
});

test('after Ctrl-C a verb stops before it begins', async () => {
  expect(await pdsdb(['ls', at('repo'), '--json'], { signal: AbortSignal.abort() })).toEqual({
    code: 130,
    stdout: '{"error":"Interrupted","message":"interrupted"}\n',
    stderr: 'error: interrupted\n',
  });
});

describe('formatting', () => {
  test('sizes are counted in powers of ten', () => {
    expect([0, 999, 1000, 1_234_567, 5e15].map(formatBytes)).toEqual([
      '0 bytes',
      '999 bytes',
      '1.0 kB',
      '1.2 MB',
      '5000.0 TB',
    ]);
  });

  test('paths split at the first slash', () => {
    const parse = (text: string) => parseRecordPath(text, 'did:web:alice.example');
    expect(parse('a.b.c/d')).toEqual({ collection: 'a.b.c', rkey: 'd' });
    expect(parse('a.b.c/')).toEqual({ collection: 'a.b.c', rkey: undefined });
    expect(parse('a.b.c')).toEqual({ collection: 'a.b.c', rkey: undefined });
    expect(parse('a.b.c/d/e')).toEqual({ collection: 'a.b.c', rkey: 'd/e' });
  });

  test('MIME types come from the extension of a name', () => {
    expect(['a.JPG', 'b.tar.png', 'noname', '-'].map(mimeTypeOf)).toEqual([
      'image/jpeg',
      'image/png',
      'application/octet-stream',
      'application/octet-stream',
    ]);
  });

  test('a key file is one line; a message never contains another file', () => {
    const secret = '11'.repeat(32);
    expect(parseKey(`p256:${secret}\n`, 'k').curve).toBe('p256');
    expect(parseKey(secret.toUpperCase(), 'k').curve).toBe('secp256k1');
    for (const text of ['', `rsa:${secret}`, `${secret}1`, `secp256k1: ${secret}`, '00'.repeat(32)]) {
      const thrown = (() => {
        try {
          parseKey(text, 'k');
        } catch (error) {
          return error as Error;
        }
      })();
      expect(thrown).toBeInstanceOf(Error);
      expect(thrown!.message).not.toContain(secret.slice(0, 16));
    }
  });
});
