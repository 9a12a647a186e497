/** Runs the examples with the package as it is published. */
import { execFile, execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { transformWithOxc } from 'vite';
import { generateKey } from '../src/index.ts';
import { createRepo, openRepo } from '../src/node.ts';
import { buildPackage } from './built-package.ts';
import { pdsdb } from './cli/run-command.ts';
import { root } from './house/sources.ts';

const POST = 'app.bsky.feed.post';
const runtimes = join(root, 'test', 'runtime', 'node_modules', '.bin');
const env = { ...process.env, PATH: [process.env['PATH'], runtimes].join(delimiter), NO_COLOR: '1' };
const required = (process.env['PDSDB_REQUIRE'] ?? '').split(',').includes('deno');
const hasDeno = ((): boolean => {
  try {
    execFileSync('deno', ['--version'], { env });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error;
    }
    return required;
  }
})();

let built: string;
let folder: string;
const at = (name: string): string => join(folder, name);
const output = async (program: string, args: readonly string[], cwd: string): Promise<string> =>
  (await promisify(execFile)(program, args, { cwd, env })).stdout;

/** Node 20 does not run TypeScript, so the types are removed in the same way as newer versions of Node do. */
const stripTypes = async (name: string): Promise<string> => {
  const source = join(root, 'examples', name);
  const { code } = await transformWithOxc(await readFile(source, 'utf8'), source, {
    typescript: { onlyRemoveTypeImports: true },
  });
  const target = join(built, 'examples', name.replace(/\.ts$/, '.js'));
  await writeFile(target, code);
  return target;
};

/** One key for all writes: a write with another key than the head's is refused. */
const key = generateKey();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pdsdb-examples-'));
  built = await buildPackage('examples');
  await mkdir(join(built, 'examples'));
  const repo = await createRepo(at('alice'), { did: 'did:web:alice.example', signer: key });
  for (const text of ['one', 'two', 'three', 'four']) {
    await repo.write([{ action: 'create', collection: POST, value: { text } }]);
  }
  await repo.close();
  await mkdir(at('backups'));
  expect(await pdsdb(['export', at('alice'), '-o', at('backups/new.car')])).toMatchObject({ code: 0 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('inspect.node.ts', () => {
  test.each(['alice', 'backups/new.car'])('shows %s', async (name) => {
    const script = await stripTypes('inspect.node.ts');
    const shown = await output(process.execPath, [script, at(name)], folder);
    expect(shown).toContain('did:web:alice.example');
    expect(shown).toMatch(/^ +4 {2}app\.bsky\.feed\.post$/m);
    expect([...shown.matchAll(/^ {2}\w{13} {2}"(\w+)"$/gm)].map(([, text]) => text)).toEqual(['four', 'three', 'two']);
    // The example does not get the signer's key, so the signature is unchecked.
    expect(shown).toMatch(/^valid {8}yes; signature unchecked$/m);
  });
});

describe.skipIf(!hasDeno)(
  `backup.deno.ts${hasDeno ? '' : ' (skipped: no deno, neither in PATH nor in test/runtime)'}`,
  () => {
    const backUp = async (): Promise<string> => {
      await copyFile(join(root, 'examples', 'backup.deno.ts'), join(built, 'examples', 'backup.deno.ts'));
      const backups = at('backups');
      // No prompt, and permissions for one folder only.
      const flags = ['run', '--no-prompt', '--no-check', `--allow-read=${backups}`, `--allow-write=${backups}`];
      return output('deno', [...flags, join('examples', 'backup.deno.ts'), backups], built);
    };

    test('imports a CAR, and prints the changes', async () => {
      const first = await backUp();
      expect(first.match(new RegExp(`^create ${POST}/`, 'gm'))).toHaveLength(4);
      const [dated] = (await readdir(at('backups'))).filter((name) => /^\d{4}-\d\d-\d\d-\w{13}\.car$/.test(name));
      expect(await readFile(at(`backups/${dated}`))).toEqual(await readFile(at('backups/new.car')));

      const repo = await openRepo(at('alice'), { signer: key });
      await repo.put(POST, 'new', { text: 'five' });
      await repo.close();
      expect(await pdsdb(['export', at('alice'), '-o', at('backups/new.car'), '--force'])).toMatchObject({ code: 0 });
      const second = await backUp();
      expect(second.match(/^(create|update|delete) .*$/gm)).toEqual([`create ${POST}/new`]);
      expect((await readdir(at('backups'))).filter((name) => name.endsWith('.car'))).toHaveLength(3);
    });
  },
);
