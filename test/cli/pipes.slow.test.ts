/** Pipes instead of files: named pipes, pipes of a shell, and standard input by its path. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPackage } from '../built-package.ts';
import { collectProcess, pdsdb, startProcess } from './run-command.ts';
import type { Outcome } from './run-command.ts';
import { POST, createSampleAccount, json } from './sample-account.ts';

const run = promisify(execFile);
const TIMES = 20;
/** Fewer, where each is a process. `PDSDB_STARTS=20` looks longer for a race. */
const STARTS = Number(process.env['PDSDB_STARTS'] ?? 6);
/** A process takes a second to start, and these tests start many. */
const MANY_PROCESSES_MS = 900_000;

let built: string;
let folder: string;
let remove: () => Promise<void>;
const at = (name: string): string => join(folder, name);
const waitMs = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
  built = await buildPackage('pipes');
  await json(['export', at('alice'), '-o', at('alice.car')]);
  await writeFile(at('record.json'), '{"text":"from a pipe"}');
});
afterAll(() => remove());

/** Returns a named pipe and a writer, which writes a file into it once it has a reader. */
const makeFifo = async (name: string): Promise<string> => {
  await run('mkfifo', [at(name)]);
  return at(name);
};
const feed = (fifo: string, file: string): void => {
  spawn('sh', ['-c', 'cat "$0" > "$1"', file, fifo], { stdio: 'ignore' });
};

/** Runs a line of bash, in which `pdsdb` is the command. */
const bash = (line: string): Promise<Outcome> =>
  collectProcess(
    spawn('bash', ['-c', `pdsdb() { '${process.execPath}' '${built}/dist/cli.js' "$@"; }; ${line}`], { cwd: folder }),
  ).ended;

describe.skipIf(process.platform === 'win32')('a pipe is read like a file', () => {
  test(`a CAR from a named pipe, ${TIMES} times, whether its writer comes before or after`, async () => {
    for (let i = 0; i < TIMES; i++) {
      const fifo = await makeFifo(`fifo-${i}`);
      if (i % 2 === 0) {
        feed(fifo, at('alice.car'));
      }
      const importing = pdsdb(['import', at(`from-fifo-${i}`), fifo, '--json']);
      if (i % 2 === 1) {
        await waitMs(5 * i);
        feed(fifo, at('alice.car'));
      }
      const outcome = await importing;
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      expect(JSON.parse(outcome.stdout)).toMatchObject({ created: 4 });
    }
    expect((await readdir(folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test(
    `a CAR from a process substitution, ${STARTS} times`,
    async () => {
      const lines = Array.from({ length: STARTS }, (_, i) =>
        i % 2 === 0
          ? `pdsdb import 'from-bash-${i}' <(cat alice.car) --json`
          : // The writer has ended long before the command reads.
            `pdsdb import 'from-bash-${i}' <(cat alice.car; exit) --json`,
      );
      const { code, stdout, stderr } = await bash(lines.join(' && '));
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.trimEnd().split('\n')).toHaveLength(STARTS);
    },
    MANY_PROCESSES_MS,
  );

  test(
    'standard input by its path, from a file, a pipe and a socket',
    async () => {
      const names = ['/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'].filter(
        (_, i) => i < 2 || process.platform === 'linux',
      );
      expect(await bash(`pdsdb import file ${names[0]} --json < alice.car`)).toMatchObject({ code: 0, stderr: '' });
      for (const [i, name] of names.entries()) {
        expect(await bash(`cat alice.car | pdsdb import pipe-${i} ${name} --json`)).toMatchObject({
          code: 0,
          stderr: '',
        });
        const overSocket = startProcess(built, ['import', at(`socket-${i}`), name, '--json']);
        overSocket.stdin!.end(await readFile(at('alice.car')));
        expect(await overSocket.ended).toMatchObject({ code: 0, stderr: '' });
      }
    },
    MANY_PROCESSES_MS,
  );

  test('every argument that names a file', async () => {
    const lines = [
      'pdsdb import alice <(cat alice.car)',
      `pdsdb put alice ${POST}/piped @<(cat record.json) --key <(cat key)`,
      `PDSDB_KEY=<(cat key) pdsdb put alice ${POST}/piped2 @/dev/stdin < record.json`,
      `pdsdb put alice ${POST}/piped3 @record.json --key - < key`,
      'pdsdb blob add alice <(cat record.json) --type application/json',
      'pdsdb blob add alice /dev/stdin < record.json',
      'pdsdb init new --did did:web:new.example --key <(cat key)',
      'pdsdb key inspect <(cat key)',
      'pdsdb key inspect - < key',
    ];
    for (const line of lines) {
      expect([line, await bash(line)]).toMatchObject([line, { code: 0, stderr: '' }]);
    }
    expect(await bash(`pdsdb put alice ${POST}/a - --key - < key`)).toMatchObject({
      code: 1,
      stderr: 'error: Standard input is already in use. Only one argument can be "-".\n',
    });
  });

  test('a pipe is written into like a file', async () => {
    const out = await makeFifo('out');
    const [{ stdout }, exported] = await Promise.all([
      run('sh', ['-c', `sleep 0.3; wc -c < '${out}'`]),
      pdsdb(['export', at('alice'), '-o', out, '--force', '--json']),
    ]);
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    expect((JSON.parse(exported.stdout) as { bytes: number }).bytes).toBe(Number(stdout));
    expect(await bash(`pdsdb export alice --force -o >(cat > copy.car) --json`)).toMatchObject({ code: 0, stderr: '' });
    await expect
      .poll(async () => (await json(['info', at('alice')])).length > 0 && (await readFile(at('copy.car'))).length, {
        timeout: 20_000,
      })
      .toBe(Number(stdout));
  });
});

// `/proc` shows the state of a process.
describe.skipIf(process.platform !== 'linux')('Ctrl-C while the command waits for input', () => {
  /** Whether the process has the pipe open. */
  const isReading = async (pid: number, fifo: string): Promise<boolean> => {
    const links = await Promise.all(
      (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
    );
    return links.includes(fifo);
  };
  const interruptWhen = async (
    args: readonly string[],
    isThere: (pid: number) => Promise<boolean>,
  ): Promise<Outcome> => {
    const waiting = startProcess(built, args);
    while (!(await isThere(waiting.pid!))) {
      await waitMs(50);
    }
    await waitMs(300);
    waiting.kill('SIGINT');
    return waiting.ended;
  };
  const interrupted = { code: 130, stdout: '', stderr: 'error: interrupted\n' };

  test.each([
    ['import into a new repository', (fifo: string) => ['import', at('interrupted/new'), fifo]],
    ['import', (fifo: string) => ['import', at('alice'), fifo]],
    ['a record', (fifo: string) => ['put', at('alice'), `${POST}/x`, `@${fifo}`, '--key', at('key')]],
    ['a key', (fifo: string) => ['put', at('alice'), `${POST}/x`, '{}', '--key', fifo]],
    ['a blob', (fifo: string) => ['blob', 'add', at('alice'), fifo]],
    ['a key to inspect', (fifo: string) => ['key', 'inspect', fifo]],
    ['export into a pipe without a reader', (fifo: string) => ['export', at('alice'), '--force', '-o', fifo]],
  ])('%s ends with 130, and nothing has changed', async (name, args) => {
    const before = await json(['info', at('alice')]);
    const fifo = await makeFifo(`idle ${name}`);
    const names = await readdir(folder);
    const isRead = !name.startsWith('export');
    // A write into a pipe waits while the repository is open.
    const isWaiting = (pid: number): Promise<boolean> => isReading(pid, isRead ? fifo : join(at('alice'), 'pds.db'));
    expect(await interruptWhen(args(fifo), isWaiting)).toEqual(interrupted);
    if (name === 'import' || name === 'a record') {
      // The same with a writer that writes nothing. A CAR is read as a stream, and all other input as a whole.
      const ending = interruptWhen(args(fifo), isWaiting);
      const writer = createWriteStream(fifo);
      expect(await ending).toEqual(interrupted);
      writer.destroy();
    }
    expect(await readdir(folder)).toEqual(names);
    expect(await json(['info', at('alice')])).toEqual(before);
  });

  test('a reader that has stopped reading does not block the command', async () => {
    const [blob] = (await json(['blob', 'add', at('alice'), '-'], { input: Buffer.alloc(8 << 20) })) as [
      { ref: { $link: string } },
    ];
    const stuck = startProcess(built, ['blob', 'get', at('alice'), blob.ref.$link]);
    await once(stuck.stdout!, 'data');
    stuck.stdout!.pause();
    await waitMs(500);
    stuck.kill('SIGINT');
    const [code] = (await once(stuck, 'exit')) as [number | null];
    stuck.stdout!.resume();
    expect(code).toBe(130);
  });
});

test('an error for a socket or a folder names its kind', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'pdsdb-pipes-'));
  expect((await pdsdb(['key', 'inspect', scratch])).stderr).toBe(
    `error: Cannot read ${scratch}: it is a folder. Give the path of a file.\n`,
  );
  expect((await pdsdb(['key', 'inspect', join(scratch, 'none')])).stderr).toBe(
    `error: Cannot read ${join(scratch, 'none')}: the file or folder is missing. Check the path.\n`,
  );
  await rm(scratch, { recursive: true });
});
