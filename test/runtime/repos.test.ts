/** Repositories in Deno and Bun: all cases, and one folder that every runtime opens in turn. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createRepo, openRepo } from '../../src/node.ts';
import { blockStoreCases } from '../../src/testing/storage/block-store-cases.ts';
import { repoCases } from '../../src/testing/repo/cases.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { root } from '../house/sources.ts';
import { crossRepo } from './cross-repo.ts';
import type { OtherRuntime } from './find-runtime.ts';
import { findRuntime } from './find-runtime.ts';
import { runConformance } from './run-conformance.ts';

const scratch = scratchFolder('repos');
const names = [...repoCases, ...blockStoreCases].map(({ name }) => name);

/** Returns the arguments for a script, with permissions for the scratch folder only. */
const argsFor = (runtime: OtherRuntime, script: string, ...args: readonly string[]): string[] => [
  ...(runtime === 'deno' ? ['run', '--no-prompt', `--allow-read=${scratch}`, `--allow-write=${scratch}`] : []),
  join(root, 'test/runtime', runtime, script),
  ...args,
];

const programs = { bun: findRuntime('bun'), deno: findRuntime('deno') };

for (const runtime of ['deno', 'bun'] as const) {
  const program = programs[runtime];
  describe.skipIf(program === undefined)(program === undefined ? `${runtime} (not found)` : runtime, () => {
    runConformance(
      'repositories and block stores',
      program!,
      argsFor(runtime, 'repos.ts', join(scratch, runtime)),
      names,
    );
  });
}

/** Runs one verb on a folder in a runtime, and returns its description. */
const run = async (runtime: OtherRuntime | 'node', verb: string, folder: string): Promise<string> => {
  if (runtime === 'node') {
    return crossRepo(verb, folder, { createRepo, openRepo });
  }
  const { stdout } = await promisify(execFile)(programs[runtime]!, argsFor(runtime, 'cross.ts', verb, folder), {
    maxBuffer: 1 << 24,
  });
  return stdout.trim();
};

const here = (runtime: OtherRuntime | 'node'): boolean => runtime === 'node' || programs[runtime] !== undefined;

const pairs = (['node', 'deno', 'bun'] as const).flatMap((from) =>
  (['node', 'deno', 'bun'] as const).filter((to) => to !== from).map((to) => [from, to] as const),
);

describe('a repository moves between runtimes', () => {
  for (const [from, to] of pairs) {
    test.skipIf(!here(from) || !here(to))(
      `written in ${from}, read and written in ${to}, read in ${from} again`,
      async () => {
        const folder = join(scratch, `${from}-${to}`);
        const written = await run(from, 'write', folder);
        expect(JSON.parse(written)).toMatchObject({ ok: true, signature: 'valid' });
        expect(JSON.parse(written).records).toHaveLength(299);
        expect(await run(to, 'read', folder)).toBe(written);
        const extended = await run(to, 'extend', folder);
        expect(JSON.parse(extended).records).toHaveLength(309);
        expect(await run(from, 'read', folder)).toBe(extended);
      },
    );
  }
});
