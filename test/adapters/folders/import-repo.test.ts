/** `importRepo` in folders: temporary folders, and the state after a kill. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { importRepo, openRepo } from '../../../src/node.ts';
import { sampleCar } from '../../large/sample-car.ts';
import { root } from '../../house/sources.ts';
import { scratchFolder } from '../scratch.ts';

const scratch = scratchFolder('import-repo');
const DID = 'did:web:alice.example.com';
const { car } = await sampleCar(50, { did: DID });
let places = 0;
/** A new folder. */
const fresh = (): string => {
  const path = join(scratch, `place-${places++}`);
  mkdirSync(path, { recursive: true });
  return path;
};

test('creates the parent folders, and removes them if it fails', async () => {
  const place = fresh();
  await expect(importRepo(join(place, 'a', 'b', 'alice'), car.subarray(0, 5000))).rejects.toMatchObject({
    code: 'Malformed',
  });
  expect(readdirSync(place)).toEqual([]);
  await using repo = await importRepo(join(place, 'a', 'b', 'alice'), car, { allowUnsigned: true });
  expect(repo.imported).toMatchObject({ created: 50, faultCount: 0 });
  expect(readdirSync(join(place, 'a', 'b'))).toEqual(['alice']);
});

test('fills an empty folder, also behind a symbolic link, and refuses any other', async () => {
  const place = fresh();
  mkdirSync(join(place, 'empty'));
  symlinkSync('empty', join(place, 'link'));
  await (await importRepo(join(place, 'link'), car, { allowUnsigned: true })).close();
  expect(readdirSync(place).sort()).toEqual(['empty', 'link']);
  await (await openRepo(join(place, 'empty'))).close();

  mkdirSync(join(place, 'full'));
  writeFileSync(join(place, 'full', 'notes.txt'), 'mine');
  writeFileSync(join(place, 'file'), 'mine');
  for (const name of ['full', 'file', 'empty']) {
    const error = { code: 'RepoExists', message: expect.stringContaining(join(place, name)) };
    await expect(importRepo(join(place, name), car, { allowUnsigned: true })).rejects.toMatchObject(error);
  }
  expect(readdirSync(join(place, 'full'))).toEqual(['notes.txt']);
});

test('of two concurrent imports, one creates the repository and the other is refused', async () => {
  const directory = join(fresh(), 'alice');
  const results = await Promise.allSettled([0, 1].map(() => importRepo(directory, car, { allowUnsigned: true })));
  const made = results.filter(({ status }) => status === 'fulfilled');
  expect(made).toHaveLength(1);
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { name: 'RepoError' } });
  await (made[0] as PromiseFulfilledResult<Awaited<ReturnType<typeof importRepo>>>).value.close();
  await using repo = await openRepo(directory);
  expect((await repo.info()).records).toBe(50);
});

test('a process that is killed during the import leaves no repository', async () => {
  const place = fresh();
  const directory = join(place, 'alice');
  writeFileSync(join(place, 'alice.car'), car);
  const script = `
    import { readFileSync } from 'node:fs';
    import { importRepo } from ${JSON.stringify(join(root, 'src/node.ts'))};
    const wasm = readFileSync(${JSON.stringify(join(root, 'node_modules/sql.js/dist/sql-wasm.wasm'))});
    const car = readFileSync(${JSON.stringify(join(place, 'alice.car'))});
    await importRepo(${JSON.stringify(directory)}, (async function* () {
      yield car.subarray(0, -100);
      console.log('half');
      await new Promise((resolve) => setTimeout(resolve, 60000));
    })(), { allowUnsigned: true, wasm });
  `;
  const program = join(place, 'program.mjs');
  await build({
    stdin: { contents: script, resolveDir: place, loader: 'js' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile: program,
    logLevel: 'error',
    // sql.js asks for these by `require`.
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); const __dirname = '.';`,
    },
  });
  const child = spawn(process.execPath, [program]);
  let errors = '';
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('close', () => reject(new Error(errors)));
  });
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  expect(existsSync(directory)).toBe(false);
  expect(readdirSync(place).filter((name) => name.includes('.tmp-'))).toHaveLength(1);
  await using repo = await importRepo(directory, car, { allowUnsigned: true });
  expect(repo.did).toBe(DID);
  // The next import removes what the killed one has left.
  expect(readdirSync(place).filter((name) => name.includes('.tmp-'))).toEqual([]);
});
