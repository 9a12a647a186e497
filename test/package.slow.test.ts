/** The package as npm packs it: only the files that an entry point reaches, and types that every resolution finds. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildPackage } from './built-package.ts';
import { filesBelow, root } from './house/sources.ts';

/** Files and kilobytes. A change that packs more raises its limit here. */
const MAX_FILES = 870;
const MAX_KILOBYTES = 1450;

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

const run = promisify(execFile);

let folder: string;
let packed: Packed;
beforeAll(async () => {
  folder = await buildPackage('packed');
  for (const name of ['README.md', 'CHANGELOG.md', 'LICENSE']) {
    await cp(join(root, name), join(folder, name));
  }
  // A link to the packages of this tree is not part of the package.
  await unlink(join(folder, 'node_modules'));
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts'], { cwd: folder });
  [packed] = JSON.parse(stdout) as [Packed];
});

describe('the packed package', () => {
  test(`has at most ${MAX_FILES} files and ${MAX_KILOBYTES} kB`, () => {
    expect(packed.files.length).toBeLessThanOrEqual(MAX_FILES);
    expect(packed.size / 1000).toBeLessThanOrEqual(MAX_KILOBYTES);
  });

  test('has no source maps, and no types of the command', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => path.endsWith('.map'))).toEqual([]);
    expect(paths.filter((path) => path.startsWith('dist/cli') && path.endsWith('.d.ts'))).toEqual([]);
    expect(paths.filter((path) => !/^(dist\/|(README|CHANGELOG)\.md$|LICENSE$|package\.json$)/.test(path))).toEqual([]);
  });

  test('has types that every module resolution finds', async () => {
    const attw = join(root, 'node_modules', '.bin', 'attw');
    const args = ['--profile', 'esm-only', '--exclude-entrypoints', './repo-worker.js', './sql-wasm.wasm'];
    // Its exit code is 1 for each problem that the profile does not ignore.
    const { stdout } = await run(attw, [packed.filename, ...args], { cwd: folder });
    expect(stdout).toContain('pdsdb/testing');
  });

  test('has each file that a benchmark imports', () => {
    const imports = filesBelow('bench').flatMap((path) =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/from '(\.\.\/[^']+)'/g)].map(([, file]) => ({
        path,
        file: join(dirname(path), file!),
      })),
    );
    expect(imports.length).toBeGreaterThan(30);
    const missing = imports.filter(({ file }) => !existsSync(join(file.startsWith('dist/') ? folder : root, file)));
    expect(missing).toEqual([]);
  });
});
