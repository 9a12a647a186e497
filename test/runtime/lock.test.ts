/** The lock between processes of one runtime and of different runtimes. */
import * as fs from 'node:fs';
import { hostname } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { formatLock, parseLock } from '../../src/adapters/files/lock-record.ts';
import type { LockRecord } from '../../src/adapters/files/lock-record.ts';
import { successorOf } from '../../src/adapters/files/lock-names.ts';
import { WRITING_MS } from '../../src/adapters/files/lock-chain.ts';
import { openNodeFiles } from '../../src/adapters/files/node-files.ts';
import { thisProcess } from '../../src/adapters/files/node-process.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { findRuntime } from './find-runtime.ts';
import { Holder, holderCommand } from './holder.ts';
import type { Runtime } from './holder.ts';

const ROUNDS = Number(process.env['PDSDB_RACES'] ?? 100);
const RUNTIMES = ['node', 'bun', 'deno'] as const;

const root = scratchFolder('lock');
const commands = new Map<Runtime, readonly string[]>();
const holders: Holder[] = [];
const token = 'f'.repeat(32);
const madeMs = 1_700_000_000_000;

beforeAll(async () => {
  for (const runtime of RUNTIMES) {
    const command = await holderCommand(runtime, root);
    if (command !== undefined) {
      commands.set(runtime, command);
    }
  }
});

afterEach(async () => {
  await Promise.all(holders.splice(0).map((holder) => holder.kill()));
});

const start = (runtime: Runtime): Holder => {
  const holder = new Holder(commands.get(runtime)!);
  holders.push(holder);
  return holder;
};

/** Returns the folder of a repository whose database is not empty. */
const makeFolder = (): string => {
  const folder = fs.mkdtempSync(join(root, 'repo-'));
  fs.writeFileSync(join(folder, 'pds.db'), 'content');
  return folder;
};

const locked = (): object => expect.objectContaining({ name: 'RepoError', code: 'Locked' });
const isThere = (runtime: Runtime): boolean => runtime === 'node' || findRuntime(runtime) !== undefined;

describe('in one process', () => {
  test('a second open is Locked, also by another path to the same folder', async () => {
    const folder = makeFolder();
    const link = `${folder}-link`;
    fs.symlinkSync(folder, link);
    const files = await openNodeFiles(folder);
    for (const path of [
      folder,
      `${folder}/`,
      link,
      join(folder, '../', folder.split('/').at(-1)!),
      relative(process.cwd(), folder),
    ]) {
      await expect(openNodeFiles(path), path).rejects.toEqual(locked());
    }
    await expect(openNodeFiles(folder)).rejects.toThrow(`pid=${process.pid} host=${hostname()}`);
    await files.close();
    const again = await openNodeFiles(link);
    await expect(openNodeFiles(folder)).rejects.toEqual(locked());
    await again.close();
    expect(fs.readdirSync(folder)).toEqual(['pds.db']);
  });

  test('a waiting open succeeds after the first one closes', async () => {
    const folder = makeFolder();
    const first = await openNodeFiles(folder);
    const waiting = openNodeFiles(folder, { waitMs: 30_000 });
    setTimeout(() => void first.close(), 50);
    await (await waiting).close();
  });
});

describe('of a process that has ended', () => {
  /** Returns the lock of a process like this one, with the given changes. */
  const leave = (folder: string, changes: Partial<LockRecord>): void => {
    fs.writeFileSync(join(folder, 'pds.lock'), formatLock({ ...thisProcess(), token, madeMs, ...changes }));
  };
  const GONE = 2 ** 22 + 1;

  test.skipIf(thisProcess().started === undefined).each([
    ['our own pid, with another start time', { started: '1' }],
    ['a pid without a process', { pid: GONE }],
    ['another boot of this machine', { boot: 'before' }],
    ['this machine, which had another name', { pid: GONE, host: 'before' }],
    ['a thread of this process that has ended', { thread: `${GONE}:1` }],
    ['a thread whose id a later thread has', { thread: `${process.pid}:1` }],
  ] as const)('%s: taken over', async (_, changes) => {
    const folder = makeFolder();
    leave(folder, changes);
    await (await openNodeFiles(folder)).close();
    expect(fs.readdirSync(folder)).toEqual(['pds.db']);
  });

  test.each([
    ['another host', { pid: GONE, host: 'elsewhere', boot: 'there' }],
    ['another host without a boot id', { pid: GONE, host: 'elsewhere', boot: undefined }],
    ['the copy of a lock of another machine', { host: 'elsewhere', boot: 'there', file: '1:1', place: 'elsewhere' }],
    ['another host, before this machine was started', { pid: GONE, host: 'elsewhere', boot: 'before' }],
    ['another pid namespace', { pid: GONE, namespace: 'pid:[1]' }],
    ['a process of another user', { pid: 1, started: undefined, thread: undefined }],
    [
      'a Deno without a host, with a pid without a process',
      {
        pid: GONE,
        runtime: 'deno',
        flock: true,
        host: undefined,
        boot: undefined,
        namespace: undefined,
        started: undefined,
      },
    ],
  ] as const)('%s: left alone', async (_, changes) => {
    const folder = makeFolder();
    leave(folder, changes);
    const before = fs.readFileSync(join(folder, 'pds.lock'), 'utf8');
    await expect(openNodeFiles(folder)).rejects.toEqual(locked());
    expect(fs.readFileSync(join(folder, 'pds.lock'), 'utf8')).toBe(before);
    expect(fs.readdirSync(folder).sort()).toEqual(['pds.db', 'pds.lock']);
  });

  test.each(['', '{"pid":', 'garbage\n'])(
    'a lock file with %j counts as held for two seconds and then as stale, and an open waits for that',
    async (text) => {
      const folder = makeFolder();
      // Read before the file is written, because the two seconds begin at the write.
      const begin = performance.now();
      fs.writeFileSync(join(folder, 'pds.lock'), text);
      await (await openNodeFiles(folder)).close();
      expect(performance.now() - begin).toBeGreaterThan(WRITING_MS - 500);
      expect(fs.readdirSync(folder)).toEqual(['pds.db']);
    },
  );

  test('a lock that is not a file is an error', async () => {
    const folder = makeFolder();
    fs.symlinkSync('pds.db', join(folder, 'pds.lock'));
    await expect(openNodeFiles(folder)).rejects.toEqual(expect.objectContaining({ code: 'StorageFailed' }));
  });
});

describe.each(RUNTIMES)('held by %s', (runtime) => {
  test.skipIf(!isThere(runtime))('is refused to this process, and free once it is closed', async () => {
    const folder = makeFolder();
    const holder = start(runtime);
    expect(await holder.ask(`open ${folder}`)).toBe('open');
    expect(parseLock(fs.readFileSync(join(folder, 'pds.lock'), 'utf8'))).toMatchObject({ runtime, pid: holder.pid });
    await expect(openNodeFiles(folder)).rejects.toThrow(`${runtime} pid=${holder.pid}`);
    expect(await holder.ask('close')).toBe('closed');
    expect(fs.readdirSync(folder)).toEqual(['pds.db']);
    await (await openNodeFiles(folder)).close();
  });

  test.skipIf(!isThere(runtime))('stays held while the holder is stopped', async () => {
    const folder = makeFolder();
    const holder = start(runtime);
    await holder.ask(`open ${folder}`);
    holder.signal('SIGSTOP');
    await expect(openNodeFiles(folder, { waitMs: 100 })).rejects.toEqual(locked());
    holder.signal('SIGCONT');
    expect(await holder.ask('close')).toBe('closed');
  });

  test.skipIf(!isThere(runtime))('writes nothing after its lock was removed while it was stopped', async () => {
    const folder = makeFolder();
    const holder = start(runtime);
    await holder.ask(`open ${folder}`);
    expect(await holder.ask('write')).toBe('written');
    holder.signal('SIGSTOP');
    fs.rmSync(join(folder, 'pds.lock'));
    const files = await openNodeFiles(folder);
    const before = fs.readFileSync(join(folder, 'pds.db'));
    files.main.write(new Uint8Array([2]), { at: 0 });
    for (const journal of [files.journal, files.wal]) {
      journal.write(new Uint8Array([1]), { at: 0 });
      journal.truncate(0);
    }
    holder.signal('SIGCONT');
    expect(await holder.ask('write')).toMatch(/^Locked this process has lost the lock/);
    expect(await holder.ask('close')).toBe('closed');
    expect(fs.readFileSync(join(folder, 'pds.db'))).toEqual(Buffer.from([2, ...before.subarray(1)]));
    expect(fs.readdirSync(folder).sort()).toEqual(['pds.db', 'pds.db-journal', 'pds.db-wal', 'pds.lock']);
    await files.close();
  });

  test.skipIf(!isThere(runtime)).for(RUNTIMES)('and killed: opened by %s', async (next, { skip }) => {
    skip(!isThere(next), `${next} is not there`);
    const folder = makeFolder();
    const holder = start(runtime);
    await holder.ask(`open ${folder}`);
    const successor = start(next);
    expect(await successor.ask(`open ${folder}`)).toMatch(/^Locked /);
    await holder.kill();
    const result = await successor.ask(`open ${folder}`);
    if (next === 'deno' && runtime !== 'deno') {
      // Deno has no permission to check processes, and the message says which runtime can.
      expect(result).toMatch(/^Locked .*open the repository once in Node, or remove the lock file/);
      await (await openNodeFiles(folder)).close();
      expect(await successor.ask(`open ${folder}`)).toBe('open');
    } else if (next !== 'deno' && runtime === 'deno') {
      // A Deno without permissions may run in another container, so Node cannot check it. Its flock
      // is visible to other Deno processes.
      expect(result).toMatch(/^Locked .*open the repository once in Deno, or remove the lock file/);
      const deno = start('deno');
      expect(await deno.ask(`open ${folder}`)).toBe('open');
      await deno.ask('close');
      expect(await successor.ask(`open ${folder}`)).toBe('open');
    } else {
      expect(result).toBe('open');
    }
    await successor.ask('close');
    expect(fs.readdirSync(folder)).toEqual(['pds.db']);
  });
});

describe.each(RUNTIMES)('a thread of %s', (runtime) => {
  test.skipIf(!isThere(runtime))('that ends lets go: its process opens the repository again', async () => {
    const folder = makeFolder();
    const holder = start(runtime);
    expect(await holder.ask(`thread ${folder}`)).toBe('open');
    expect(await holder.ask(`open ${folder}`)).toMatch(/^Locked /);
    await holder.ask('terminate');
    expect(await holder.ask(`open ${folder}`)).toBe('open');
    expect(await holder.ask('write')).toBe('written');
    await holder.ask('close');
    expect(fs.readdirSync(folder)).toEqual(['pds.db']);
  });

  test.skipIf(!isThere(runtime))('that ends lets go: another process opens the repository', async () => {
    const folder = makeFolder();
    const holder = start(runtime);
    await holder.ask(`thread ${folder}`);
    const other = start(runtime);
    expect(await other.ask(`open ${folder}`)).toMatch(/^Locked /);
    await holder.ask('terminate');
    expect(await other.ask(`open ${folder}`)).toBe('open');
  });
});

describe.each(RUNTIMES)('a folder copied while %s has it open', (runtime) => {
  test.skipIf(!isThere(runtime)).for(RUNTIMES)('is opened by %s, and the original is not', async (next, { skip }) => {
    skip(!isThere(next), `${next} is not there`);
    // A Deno without the permission to read the host name may run on any machine.
    skip((runtime === 'deno') !== (next === 'deno'), 'Deno may not know processes here');
    const folder = makeFolder();
    const holder = start(runtime);
    await holder.ask(`open ${folder}`);
    const copy = `${folder}-copy`;
    fs.cpSync(folder, copy, { recursive: true, preserveTimestamps: true });
    expect(fs.existsSync(join(copy, 'pds.lock'))).toBe(true);
    const other = runtime === next ? holder : start(next);
    expect(await other.ask(`open ${folder}`)).toMatch(/^Locked /);
    expect(await other.ask(`open ${copy}`)).toBe('open');
    expect(await other.ask('write')).toBe('written');
    expect(await other.ask('close')).toBe('closed');
    expect(fs.readdirSync(copy)).toEqual(['pds.db']);
  });

  test.skipIf(!isThere(runtime))('keeps its lock when it is moved', async () => {
    const folder = makeFolder();
    const holder = start(runtime);
    await holder.ask(`open ${folder}`);
    fs.renameSync(folder, `${folder}-moved`);
    expect(await start(runtime).ask(`open ${folder}-moved`)).toMatch(/^Locked /);
  });
});

describe('races', () => {
  /** Writes the lock files before several processes start at once. */
  const starts: readonly ((folder: string, gone: LockRecord) => void)[] = [
    () => {},
    (folder, gone) => fs.writeFileSync(join(folder, 'pds.lock'), formatLock(gone)),
    (folder, gone) => {
      fs.writeFileSync(join(folder, 'pds.lock'), formatLock(gone));
      fs.writeFileSync(join(folder, successorOf('pds.lock', madeMs)), formatLock({ ...gone, token: 'e'.repeat(32) }));
    },
    (folder) => {
      fs.writeFileSync(join(folder, 'pds.lock'), '');
      fs.utimesSync(join(folder, 'pds.lock'), 1, 1);
    },
  ];

  test.for<{ readonly name: string; readonly runtimes: readonly Runtime[] }>([
    { name: 'node', runtimes: ['node', 'node', 'node', 'node'] },
    { name: 'node and bun', runtimes: ['node', 'bun', 'node', 'bun'] },
    { name: 'deno', runtimes: ['deno', 'deno', 'deno', 'deno'] },
  ])(
    `$name: of four processes exactly one gets the lock, ${ROUNDS} times`,
    { timeout: 600_000 },
    async ({ runtimes }, { skip }) => {
      skip(!runtimes.every(isThere), 'a runtime is not there');
      const contenders = runtimes.map((runtime) => start(runtime));
      const doomed = start(runtimes[0]!);
      for (let round = 0; round < ROUNDS; round++) {
        const folder = makeFolder();
        const gone =
          runtimes[0] === 'deno'
            ? { pid: doomed.pid, runtime: 'deno', flock: true, token, madeMs }
            : { ...thisProcess(), pid: 2 ** 22 + 1, token, madeMs };
        starts[round % starts.length]!(folder, gone as LockRecord);
        const results = await Promise.all(contenders.map((contender) => contender.ask(`open ${folder}`)));
        const winners = results.filter((result) => result === 'open');
        expect(winners.length, `round ${round}: ${results.join('; ')}`).toBe(1);
        expect(results.every((result) => result === 'open' || result.startsWith('Locked '))).toBe(true);
        await Promise.all(contenders.map((contender) => contender.ask('close')));
        expect(fs.readdirSync(folder), `round ${round}`).toEqual(['pds.db']);
        fs.rmSync(folder, { recursive: true });
      }
    },
  );
});
