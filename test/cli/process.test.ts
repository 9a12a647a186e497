/** The command as a process: what it leaves to the shell, to pipes and to Ctrl-C. */
import { access, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateKey } from '../../src/index.ts';
import { createRepo, openRepo } from '../../src/node.ts';
import { buildPackage } from '../built-package.ts';
import { pdsdb, startProcess } from './run-command.ts';
import type { Outcome } from './run-command.ts';

const DID = 'did:web:alice.example';
const RECORDS = 2000;

let built: string;
let folder: string;
let repository: string;
let car: Buffer;
const at = (name: string): string => join(folder, name);
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pdsdb-process-'));
  built = await buildPackage('process');
  repository = at('many');
  const repo = await createRepo(repository, { did: DID, signer: generateKey() });
  const value = { text: 'x'.repeat(200) };
  await repo.write(Array.from({ length: RECORDS }, (_, i) => ({ action: 'create', collection: 'app.bsky.feed.post', rkey: `r${i}`, value })));
  await repo.close();
  await pdsdb(['export', repository, '-o', at('many.car')]);
  car = await readFile(at('many.car'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('answers on standard output, errors on standard error, and the exit code tells', async () => {
  const { version } = JSON.parse(await readFile(join(built, 'package.json'), 'utf8')) as { version: string };
  expect(await startProcess(built, ['--version']).ended).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  const listed = await startProcess(built, ['ls', repository]).ended;
  expect(listed).toMatchObject({ code: 0, stderr: '' });
  expect(listed.stdout.split('\n')).toHaveLength(RECORDS + 1);
  expect(await startProcess(built, ['get', repository, 'app.bsky.feed.post/none']).ended).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: record not found; path=app.bsky.feed.post/none\n',
  });
});

test('a CAR goes through a pipe unharmed', async () => {
  const exporting = startProcess(built, ['export', repository]);
  const importing = startProcess(built, ['import', at('piped'), '-', '--json']);
  exporting.stdout!.pipe(importing.stdin!);
  expect(await exporting.ended).toMatchObject({ code: 0, stderr: '' });
  const { code, stdout } = await importing.ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ created: RECORDS });
});

test('a reader that has enough ends it quietly', async () => {
  const listing = startProcess(built, ['ls', repository, '--values']);
  listing.stdout!.once('data', () => listing.stdout!.destroy());
  expect(await listing.ended).toMatchObject({ code: 0, stderr: '' });
  expect((await readdir(repository)).sort()).toEqual(['blobs', 'pds.db']);
});

/** Gives an import half of what it needs, and presses Ctrl-C once it is under way. */
const interruptImport = async (target: string, isUnderWay: () => Promise<boolean>): Promise<Outcome> => {
  const importing = startProcess(built, ['import', target, '-']);
  importing.stdin!.write(car.subarray(0, car.length / 2));
  while (!(await isUnderWay())) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  importing.kill('SIGINT');
  return importing.ended;
};
const INTERRUPTED = { code: 130, stdout: '', stderr: 'error: interrupted\n' };

test('Ctrl-C during the import of a new repository leaves nothing behind', async () => {
  const before = await readdir(folder);
  expect(await interruptImport(at('new'), () => exists(at('new')))).toEqual(INTERRUPTED);
  expect(await readdir(folder)).toEqual(before);
});

test('Ctrl-C during an import into a repository changes nothing', async () => {
  await (await createRepo(at('empty'), { did: DID })).close();
  expect(await interruptImport(at('empty'), () => exists(join(at('empty'), 'pds.lock')))).toEqual(INTERRUPTED);
  expect((await readdir(at('empty'))).filter((name) => name !== 'blobs')).toEqual(['pds.db']);
  const repo = await openRepo(at('empty'));
  expect(await repo.info()).toMatchObject({ head: undefined, blocks: 0 });
  await repo.close();
});
