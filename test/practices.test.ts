/**
 * The practices of CONTRIBUTING.md: tests are not retried, each test belongs to one command, and the scripts are
 * listed.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { filesBelow, root, textOf } from './house/sources.ts';
import { LONGEST } from './longest-first.ts';

const MAX_SCRIPTS = 13;

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
}
const { scripts } = JSON.parse(textOf('package.json')) as Manifest;

describe('tests', () => {
  test('are not retried', () => {
    // The settings of vitest: an option of a project or a test, or of the command.
    const tries = /\bretry\s*:|--retry/;
    const code = filesBelow('test').filter((path) => /\.(ts|mjs)$/.test(path));
    const paths = ['vite.config.ts', 'package.json', '.ci/run', ...code];
    expect(paths.filter((path) => path !== 'test/practices.test.ts' && tries.test(textOf(path)))).toEqual([]);
    expect(tries.test('test({ retry: 1 })')).toBe(true);
  });

  test('each belong to exactly one project of vite.config.ts, which one of the scripts runs', async () => {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [vitest, 'list', '--filesOnly', '--json'], {
      cwd: root,
      maxBuffer: 1 << 24,
    });
    const listed = JSON.parse(stdout) as { readonly file: string; readonly projectName: string }[];
    const files = filesBelow('test').filter((path) => path.endsWith('.test.ts'));
    expect(listed.map(({ file }) => file.slice(root.length)).sort()).toEqual(files);
    const commands = Object.values(scripts).join(' ') + textOf('test/run-all.mjs');
    const projects = new Set(listed.map(({ projectName }) => projectName));
    expect([...projects].filter((name) => !new RegExp(`--project ${name}\\b|'${name}'`).test(commands))).toEqual([]);
    // The command for all tests runs the files of the other commands.
    const named = Object.values(scripts).flatMap((script) => [...script.matchAll(/--project (\w+)/g)]);
    expect(named.filter(([, name]) => !textOf('test/run-all.mjs').includes(`'${name}'`))).toEqual([]);
    expect(LONGEST.filter((path) => !files.includes(`test/${path}`))).toEqual([]);
    // Files in one thread would share their globals.
    const shared = listed
      .filter(({ projectName }) => projectName === 'node')
      .map(({ file }) => file.slice(root.length));
    expect(shared.length).toBeGreaterThan(50);
    expect(shared.filter((path) => /\bvi\.(stub|useFake|mock)|process\.chdir/.test(textOf(path)))).toEqual([]);
  });
});

describe('scripts', () => {
  test(`are at most ${MAX_SCRIPTS}`, () => {
    expect(Object.keys(scripts).length).toBeLessThanOrEqual(MAX_SCRIPTS);
  });

  test('are all in the table of CONTRIBUTING.md, each with its time', () => {
    const rows = [...textOf('CONTRIBUTING.md').matchAll(/^\| `npm (?:run )?([a-z:]+)` \| ([^|]+) \| ([^|]+) \|$/gm)];
    expect(rows.map(([, name]) => name).sort()).toEqual(Object.keys(scripts).sort());
    expect(rows.filter(([, , , time]) => !/\d+ (?:s|min)\b/.test(time!)).map(([, name]) => name)).toEqual([]);
  });
});
