/** No byte of a command line, a repository, a file or an error controls a terminal. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createOutput } from '../../src/cli/terminal/output.ts';
import { buildPackage } from '../built-package.ts';
import { collect, jsonLines, pdsdb } from './run-command.ts';

const POST = 'app.bsky.feed.post';
/** One of each kind: ESC [, C1 CSI, OSC with BEL, DEL, backspace, return, line separators, bidirectional controls. */
const EVIL = '\u001b[31m\u009b2J\u001b]0;title\u0007\u007f\b\r\u0085\u2028\u2029\u202a\u202e\u2066\u2069';
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pdsdb-escape-'));
  await pdsdb(['init', at('repo'), '--did', 'did:web:alice.example']);
  await pdsdb(['put', at('repo'), `${POST}/a`, JSON.stringify({ text: EVIL }), '-m', EVIL]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a command line', () => {
  test.each([
    ['an unknown command', [EVIL]],
    ['an unknown command of a group', ['blob', EVIL]],
    ['an unknown option', ['ls', 'repo', `--${EVIL}`]],
    ['an unknown short option', ['ls', 'repo', '-\u001b']],
    ['the value of an option', ['ls', 'repo', '--limit', EVIL]],
    ['a choice', ['key', 'generate', '--curve', EVIL]],
    ['one argument too many', ['info', 'repo', EVIL]],
    ['a repository', ['info', EVIL]],
    ['a record', ['get', 'repo', EVIL]],
    ['a file', ['import', 'new', EVIL]],
    ['a JSON text', ['put', 'repo', `${POST}/a`, EVIL]],
    ['a DID', ['init', 'new', '--did', EVIL]],
    ['a key', ['key', 'inspect', EVIL]],
    ['a CID', ['blob', 'get', 'repo', EVIL, '-o', 'x']],
    ['a verb to explain', ['help', EVIL]],
  ])('%s is escaped in the error, which stays one line', async (_, args) => {
    for (const isTTY of [false, true]) {
      for (const word of [EVIL, `${EVIL}\nerror: forged\n`]) {
        const outcome = await pdsdb(
          args.map((arg) => (arg === 'repo' ? at('repo') : arg.replace(EVIL, word))),
          { isTTY },
        );
        expect(outcome.code).toBe(1);
        expect(outcome.stdout).toBe('');
        expect(outcome.stderr.replaceAll('\r\u001b[2K', '')).not.toMatch(CONTROL);
        expect(outcome.stderr).not.toMatch(/^error: forged/m);
        if (args[0] !== 'help') {
          expect(outcome.stderr).toMatch(/^error: [^\n]+\n$/);
        }
      }
    }
  });

  test('a suggestion stays on the line of its error', async () => {
    expect((await pdsdb(['exprt'])).stderr).toBe("error: unknown command 'exprt' (Did you mean export?)\n");
  });
});

describe('content of a repository', () => {
  test.each([
    ['ls', ['ls', '--values']],
    ['get', ['get', `${POST}/a`]],
    ['log', ['log']],
  ])('%s shows it escaped, and as JSON with its value', async (_, [verb, ...rest]) => {
    const shown = await pdsdb([verb!, at('repo'), ...rest]);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).not.toMatch(CONTROL);
    const json = await pdsdb([verb!, at('repo'), ...rest, '--json']);
    expect(json.stdout).not.toMatch(CONTROL);
    const [entry] = jsonLines(json.stdout) as [{ value?: { text: string }; message?: string }];
    expect(entry.value?.text ?? entry.message).toBe(EVIL);
  });
});

test('an output writes only safe text, and bytes only if it is not a terminal', async () => {
  const chunks: Buffer[] = [];
  const terminal = createOutput(collect(chunks, true));
  await terminal.text(`a\tb\n${EVIL}\n`);
  expect(Buffer.concat(chunks).toString()).not.toMatch(CONTROL);
  expect(Buffer.concat(chunks).toString()).toMatch(/^a\tb\n\\u001b\[31m/);
  await expect(terminal.bytes(Buffer.from(EVIL))).rejects.toMatchObject({ code: 'InvalidRequest' });
  const piped: Buffer[] = [];
  await createOutput(collect(piped, false)).bytes(Buffer.from(EVIL));
  expect(Buffer.concat(piped).toString()).toBe(EVIL);
  terminal.status(`phase ${EVIL}`);
  expect(Buffer.concat(chunks).toString().split('\r\u001b[2K')[1]).not.toMatch(CONTROL);
});

const hasScript = await promisify(execFile)('script', ['--version']).then(
  ({ stdout }) => stdout.includes('util-linux'),
  () => false,
);

// `script` of util-linux gives the command a pseudo terminal.
describe.skipIf(!hasScript)('on a pseudo terminal', () => {
  /** Returns the bytes that the terminal gets. The command line is in a file, because a shell changes such bytes. */
  const shownFor = async (built: string, args: readonly string[]): Promise<string> => {
    const runner = at('run.mjs');
    await writeFile(
      runner,
      `process.argv.push(...${JSON.stringify(args)});\nawait import(${JSON.stringify(join(built, 'dist/cli.js'))});\n`,
    );
    const { stdout } = await promisify(execFile)(
      'script',
      ['-q', '-e', '-c', `'${process.execPath}' '${runner}'`, '/dev/null'],
      { encoding: 'utf8' },
    ).catch((error: { stdout: string }) => error);
    return stdout;
  };

  test('only the progress line has control characters', async () => {
    const built = await buildPackage('escape-codes');
    for (const args of [[EVIL], ['ls', at('repo'), '--values'], ['info', EVIL], ['verify', at('repo')]]) {
      const shown = await shownFor(built, args);
      expect(shown.length).toBeGreaterThan(10);
      expect(shown.replaceAll('\r\u001b[2K', '').replaceAll('\r\n', '\n')).not.toMatch(CONTROL);
    }
    expect(await shownFor(built, ['export', at('repo')])).toMatch(/^error: [^\n]*-o <file>[^\n]*\r\n$/);
  });
});
