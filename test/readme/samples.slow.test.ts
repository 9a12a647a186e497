/** The samples of README.md and the first one of docs/records.md run unchanged, twice, in an empty folder. */
import { beforeAll, describe, expect, test } from 'vitest';
import { buildPackage } from '../built-package.ts';
import { textOf } from '../house/sources.ts';
import { findRuntime } from '../runtime/find-runtime.ts';
import { programOf, runTwice } from './run-twice.ts';
import { installations, samplesOf, terminalSamples } from './samples.ts';

const deno = findRuntime('deno');
const bun = findRuntime('bun');

const count = (pattern: RegExp, text: string): number => [...text.matchAll(pattern)].length;

/** The expected result of each sample in the round, by its name. */
const OUTCOMES: Readonly<Record<string, (printed: string, round: number) => void>> = {
  'app.mjs': (printed, round) => {
    expect(count(/^\w{13} Hello$/gm, printed)).toBe(round);
    expect(printed).toContain('ok: true');
  },
  'take-in.ts': (printed) => {
    // Each CAR has one post more than the previous one.
    expect(printed).toBe('1 created, 0 updated, 0 deleted\n');
  },
  'records.mjs': (printed, round) => {
    expect(printed).toMatch(/^true\nHello\n/);
    expect(count(/^app\.bsky\.feed\.post \w{13}$/gm, printed)).toBe(round);
  },
};

test('the instructions for installation name the package and its scripts', () => {
  const { name, scripts } = JSON.parse(textOf('package.json')) as { name: string; scripts: object };
  const lines = installations.flatMap(({ code }) => code.trim().split('\n'));
  expect(lines[0]).toBe(`npm install ${name}`);
  const used = lines.flatMap((line) => [...line.matchAll(/npm (?:run )?([\w:]+)/g)].map(([, script]) => script!));
  const known = ['install', 'ci', ...Object.keys(scripts)];
  expect(used.filter((script) => !known.includes(script))).toEqual([]);
});

test('a sample without a file name is an error', () => {
  expect(() => samplesOf('```ts\nconst a = 1;\n```\n')).toThrow('begins with its file name');
});

let built: string;
beforeAll(async () => {
  built = await buildPackage('readme');
});

describe('in a terminal', () => {
  test('the page has samples of each kind', () => {
    expect(terminalSamples.map(programOf)).toEqual(['node', 'deno', 'sh']);
  });
  runTwice({
    built: () => built,
    samples: terminalSamples,
    programs: { deno },
    made: ['alice/pds.db', 'alice.car', 'mirror/pds.db', 'alice-copy/pds.db', 'alice-again.car'],
    outcomes: OUTCOMES,
  });
});

describe.skipIf(bun === undefined)(`with Bun${bun === undefined ? ' (not found)' : ''}`, () => {
  runTwice({
    built: () => built,
    samples: terminalSamples.filter((sample) => programOf(sample) === 'node'),
    programs: { node: bun },
    made: ['alice/pds.db', 'alice.car'],
    outcomes: OUTCOMES,
  });
});

describe('docs/records.md', () => {
  const [first] = /^```ts\n[\s\S]*?^```$/m.exec(textOf('docs/records.md')) ?? [];
  runTwice({ built: () => built, samples: samplesOf(first!), made: ['records/pds.db'], outcomes: OUTCOMES });
});
