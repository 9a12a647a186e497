/** A reader of README.md or of a guide: an empty folder with the installed package, and a terminal. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../house/sources.ts';
import type { Sample } from './samples.ts';

export interface Reader {
  readonly folder: string;
  /**
   * Runs a sample to its end, unchanged, and returns its output.
   * @param programs The path of a program by its name in the sample.
   * @throws {Error} with the whole output, if the exit code is not 0.
   */
  run(sample: Sample, programs?: Readonly<Record<string, string>>): Promise<string>;
  /** Makes `npx` a script that starts the installed program. npm takes a second to find it. */
  shortenNpx(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Does the same as `npm install pdsdb` in an empty folder, with the package of this tree and without a registry.
 * @param built The folder that `buildPackage` returns.
 * @param others Other packages of this tree to install.
 */
export const createReader = async (built: string, others: readonly string[] = []): Promise<Reader> => {
  const folder = await mkdtemp(join(tmpdir(), 'pdsdb-readme-'));
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, '.bin'), { recursive: true });
  await symlink(built, join(modules, 'pdsdb'), 'dir');
  for (const name of others) {
    await symlink(join(root, 'node_modules', name), join(modules, name), 'dir');
  }
  await symlink(join(built, 'dist', 'cli.js'), join(modules, '.bin', 'pdsdb'));
  await writeFile(join(folder, 'package.json'), '{ "dependencies": { "pdsdb": "*" } }');
  const PATH = [join(modules, '.bin'), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH, NO_COLOR: '1' };

  const start = async (program: string, args: readonly string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(program, args, { cwd: folder, env }).catch((error: unknown) => {
      const { stdout: out, stderr: err } = error as { stdout: string; stderr: string };
      throw new Error(`${program} ${args.join(' ')} failed:\n${out}${err}`, { cause: error });
    });
    return stdout;
  };
  return {
    folder,
    run: async (sample, programs = {}) => {
      if (sample.kind === 'shell') {
        return start('sh', ['-ec', sample.code]);
      }
      await writeFile(join(folder, sample.name), sample.code);
      const [program, ...args] = sample.command!.split(' ');
      return start(programs[program!] ?? program!, args);
    },
    shortenNpx: () => writeFile(join(modules, '.bin', 'npx'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};
