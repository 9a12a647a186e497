/** The command as a process: output, exit codes, pipes and Ctrl-C. */
import { execFile } from 'node:child_process';
import { access, chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateKey } from '../../src/index.ts';
import { createRepo, openRepo } from '../../src/node.ts';
import { buildPackage } from '../built-package.ts';
import { pdsdb, startProcess } from './run-command.ts';
import type { Outcome, Process } from './run-command.ts';

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
  await repo.write(
    Array.from({ length: RECORDS }, (_, i) => ({
      action: 'create',
      collection: 'app.bsky.feed.post',
      rkey: `r${i}`,
      value,
    })),
  );
  await repo.close();
  await pdsdb(['export', repository, '-o', at('many.car')]);
  car = await readFile(at('many.car'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('results go to standard output, errors to standard error, and the exit code is set', async () => {
  const { version } = JSON.parse(await readFile(join(built, 'package.json'), 'utf8')) as { version: string };
  expect(await startProcess(built, ['--version']).ended).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  const listed = await startProcess(built, ['ls', repository]).ended;
  expect(listed).toMatchObject({ code: 0, stderr: '' });
  expect(listed.stdout.split('\n')).toHaveLength(RECORDS + 1);
  expect(await startProcess(built, ['get', repository, 'app.bsky.feed.post/none']).ended).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: the repository has no record at this path: pdsdb ls lists records; path=app.bsky.feed.post/none\n',
  });
});

test('a CAR passes through a pipe unchanged', async () => {
  const exporting = startProcess(built, ['export', repository]);
  const importing = startProcess(built, ['import', at('piped'), '-', '--json']);
  exporting.stdout!.pipe(importing.stdin!);
  expect(await exporting.ended).toMatchObject({ code: 0, stderr: '' });
  const { code, stdout } = await importing.ended;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ created: RECORDS });
});

test('a reader that ends early ends the command without an error', async () => {
  const listing = startProcess(built, ['ls', repository, '--values']);
  listing.stdout!.once('data', () => listing.stdout!.destroy());
  expect(await listing.ended).toMatchObject({ code: 0, stderr: '' });
  expect((await readdir(repository)).sort()).toEqual(['blobs', 'pds.db']);
});

test.each([[['--help']], [['ls', '--help']], [['--version']], [['--nonsense']]])(
  'a reader that ends before the first output: %s',
  async (args) => {
    const helping = startProcess(built, args);
    helping.stdout!.destroy();
    helping.stderr!.destroy();
    expect((await helping.ended).code).toBe(args[0] === '--nonsense' ? 1 : 0);
  },
);

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  while (!(await isSo())) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** Sends half of a CAR to an import, and presses Ctrl-C once it has begun. */
const interruptImport = async (target: string, isUnderWay: () => Promise<boolean>): Promise<Outcome> => {
  const importing = startProcess(built, ['import', target, '-']);
  importing.stdin!.write(car.subarray(0, car.length / 2));
  await until(isUnderWay);
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

/**
 * Starts an import of standard input into a new folder. Waits until the import has created the folder and waits for
 * input.
 */
const startWaiting = async (target: string): Promise<Process> => {
  const waiting = startProcess(built, ['import', target, '-']);
  waiting.stdin!.write(car.subarray(0, 100));
  await until(() => exists(target));
  return waiting;
};
const refused = {
  code: 1,
  stdout: '',
  stderr: expect.stringMatching(/^error: the repository already exists: open it, [^\n]+; path=[^\n]+\n$/),
};

test('a late import does not change the repository that another import has created', async () => {
  const late = await startWaiting(at('raced'));
  expect(await startProcess(built, ['import', at('raced'), at('many.car')]).ended).toMatchObject({ code: 0 });
  late.stdin!.end(car.subarray(100));
  expect(await late.ended).toEqual(refused);
  const repo = await openRepo(at('raced'));
  expect((await repo.info()).records).toBe(RECORDS);
  expect((await repo.verify()).faults).toEqual([]);
  await repo.close();
});

test('a failed import keeps a repository that was written to meanwhile, and other files', async () => {
  const late = await startWaiting(at('visited'));
  const repo = await createRepo(at('visited'), { did: DID });
  await repo.put('app.bsky.feed.post', 'a', { text: 'a' });
  await writeFile(join(at('visited'), 'notes.txt'), 'mine');
  late.stdin!.end(car.subarray(100));
  expect(await late.ended).toMatchObject({ code: 1 });
  expect((await repo.info()).records).toBe(1);
  await repo.close();
  expect((await readdir(at('visited'))).sort()).toEqual(['blobs', 'notes.txt', 'pds.db']);
});

test('of several concurrent imports into one folder, one creates it and the others do not change it', async () => {
  const outcomes = await Promise.all(
    [1, 2, 3].map(() => startProcess(built, ['import', at('crowded'), at('many.car')]).ended),
  );
  // A later import finds all records and changes nothing.
  expect(outcomes.map(({ code }) => code)).toContain(0);
  const repo = await openRepo(at('crowded'));
  expect((await repo.info()).records).toBe(RECORDS);
  await repo.close();
});

test('a failed import removes the folders that it has created, if they are empty', async () => {
  await writeFile(at('bad.car'), car.subarray(0, -10));
  const late = await startWaiting(at('backups/of/alice'));
  expect(await startProcess(built, ['import', at('backups/bob'), at('many.car')]).ended).toMatchObject({ code: 0 });
  late.stdin!.end(car.subarray(100, -10));
  expect(await late.ended).toMatchObject({ code: 1 });
  expect(await readdir(at('backups'))).toEqual(['bob']);
  await mkdir(at('backups/empty'));
  expect(await startProcess(built, ['import', at('backups/empty'), at('bad.car')]).ended).toMatchObject({ code: 1 });
  expect(await readdir(at('backups/empty'))).toEqual([]);
});

test('the next backup removes the folder of a killed backup', async () => {
  const place = at('kept');
  await mkdir(place);
  let left: string[] = [];
  for (let tries = 0; left.length === 0 && tries < 20; tries++) {
    const killed = startProcess(built, ['backup', repository, join(place, 'many'), '--force']);
    const ended = killed.ended.then(() => true);
    while (!(await Promise.race([ended, sleep(1, false)]))) {
      const begun = (await readdir(place)).find((name) => name.includes('.tmp-'));
      if (begun !== undefined && (await exists(join(place, begun, 'pds.db')))) {
        killed.kill('SIGKILL');
        break;
      }
    }
    await ended;
    left = (await readdir(place)).filter((name) => name.includes('.tmp-'));
  }
  expect(left).toHaveLength(1);
  expect(await startProcess(built, ['backup', repository, join(place, 'many'), '--force']).ended).toMatchObject({
    code: 0,
  });
  expect(await readdir(place)).toEqual(['many']);
});

// Another user, because root can write everywhere.
test.skipIf(process.getuid?.() !== 0)(
  'a user without write permission reads a repository, including the state of a crash',
  async () => {
    const live = at('live');
    const dead = at('dead');
    {
      await using repo = await createRepo(live, { did: DID });
      await repo.put('app.bsky.feed.post', 'a', { text: 'in the log' });
      await repo.putBlob(new Uint8Array(10), { mimeType: 'image/png' });
      await cp(live, dead, { recursive: true });
    }
    await chmod(folder, 0o755);
    const entries = await readdir(dead, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o555 : 0o444);
    }
    await chmod(dead, 0o555);
    const names = await readdir(dead);
    expect(names).toContain('pds.db-wal');
    const run = async (...args: string[]): Promise<string> => {
      const options = { uid: 65534, gid: 65534, cwd: folder };
      return (await promisify(execFile)(process.execPath, [join(built, 'dist', 'cli.js'), ...args], options)).stdout;
    };
    expect(await run('ls', dead, 'app.bsky.feed.post', '--values')).toContain('in the log');
    expect(await run('verify', dead)).toContain('ok');
    expect(await run('blob', 'ls', dead)).toContain('image/png');
    expect(JSON.parse(await run('info', dead, '--json', '--wait', '10'))).toMatchObject({ did: DID, records: 1 });
    await expect(run('rm', dead, 'app.bsky.feed.post/a')).rejects.toThrow(/EACCES/);
    expect(await readdir(dead)).toEqual(names);
  },
);
