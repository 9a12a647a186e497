import { describe, expect, test } from 'vitest';
import type { DiskFile } from '../../../src/adapters/files/disk.ts';
import { formatLock, parseLock } from '../../../src/adapters/files/lock-record.ts';
import { successorOf } from '../../../src/adapters/files/lock-names.ts';
import { WRITING_MS } from '../../../src/adapters/files/lock-chain.ts';
import { acquireLock, tryLock } from '../../../src/adapters/files/lock.ts';
import type { Lock } from '../../../src/adapters/files/lock.ts';
import { LockDisk } from './lock-disk.ts';

const code = (value: string): object => expect.objectContaining({ name: 'RepoError', code: value });
const token = (digit: string): string => digit.repeat(32);
const MADE = 1_700_000_000_000;
const next = successorOf('pds.lock', MADE);
const record = (pid: number, digit: string): string =>
  formatLock({ pid, runtime: 'node', token: token(digit), madeMs: MADE });
const isLock = (result: object): result is Lock => 'release' in result;

describe('records', () => {
  test('are read as they were written', () => {
    const whole = {
      pid: 1,
      runtime: 'deno',
      started: '2',
      boot: '3',
      host: '4',
      namespace: '5',
      flock: true,
      token: token('a'),
      madeMs: MADE,
    } as const;
    expect(parseLock(formatLock(whole))).toEqual(whole);
  });

  test.each([
    ['nothing', ''],
    ['text', 'locked\n'],
    ['null', 'null\n'],
    ['a list', '[{}\n'],
    ['no token', '{"pid":1,"runtime":"node"}\n'],
    ['a token of another form', `{"pid":1,"runtime":"node","token":"../${'a'.repeat(29)}","madeMs":1}\n`],
    ['no time', `{"pid":1,"runtime":"node","token":"${token('a')}"}\n`],
    ['an invalid time', `{"pid":1,"runtime":"node","token":"${token('a')}","madeMs":"../x"}\n`],
    ['the pid of a group', `{"pid":0,"runtime":"node","token":"${token('a')}","madeMs":1}\n`],
    ['another runtime', `{"pid":1,"runtime":"perl","token":"${token('a')}","madeMs":1}\n`],
    ['a host that is not a text', `{"pid":1,"runtime":"node","host":{},"token":"${token('a')}","madeMs":1}\n`],
    ['a truncated record', record(1, 'a').slice(0, -1)],
  ])('%s is not a record', (_, text) => {
    expect(parseLock(text)).toBeUndefined();
  });
});

describe('sequential owners', () => {
  test('the lock is taken, refused to others with the name of its holder, and released', async () => {
    const disk = new LockDisk();
    const lock = await acquireLock(disk.seenBy(1), 'repo');
    expect(disk.names()).toEqual(['pds.lock']);
    await expect(acquireLock(disk.seenBy(1), 'repo')).rejects.toEqual(code('Locked'));
    await expect(acquireLock(disk.seenBy(2), 'repo')).rejects.toThrow(/pid=1 /);
    lock.release();
    lock.release();
    expect(disk.names()).toEqual([]);
    (await acquireLock(disk.seenBy(2), 'repo')).release();
  });

  test('release does not remove the lock of another owner', async () => {
    const disk = new LockDisk();
    const lock = await acquireLock(disk.seenBy(1), 'repo');
    disk.leave('pds.lock', record(2, 'b'));
    lock.release();
    expect(disk.text('pds.lock')).toBe(record(2, 'b'));
  });

  test.each([
    ['a holder that has ended', [['pds.lock', record(9, 'a'), 0]]],
    [
      'a chain of stale successors',
      [
        ['pds.lock', record(9, 'a'), 0],
        [next, record(9, 'b'), 0],
        [successorOf(next, MADE), record(9, 'c'), 0],
      ],
    ],
    [
      'a withdrawn record',
      [['pds.lock', formatLock({ pid: 1, runtime: 'node', token: token('a'), madeMs: MADE, withdrawn: true }), 0]],
    ],
    ['an old empty file', [['pds.lock', '', WRITING_MS + 1000]]],
    ['an empty file with a time in the future', [['pds.lock', '', -WRITING_MS - 1000]]],
    ['an old file with garbage', [['pds.lock', 'x'.repeat(100_000), WRITING_MS + 1000]]],
    [
      'a broken successor',
      [
        ['pds.lock', record(9, 'a'), 0],
        [next, '{"pid"', WRITING_MS + 1000],
      ],
    ],
    [
      'orphaned successors',
      [
        [next, record(1, 'b'), 0],
        [successorOf(next, 5), '', 0],
      ],
    ],
  ] as const)('%s is succeeded, and nothing of it stays', (_, files) => {
    const disk = new LockDisk();
    disk.kill(9);
    files.forEach(([name, text, ageMs]) => disk.leave(name, text, ageMs));
    disk.leave('pds.lock.bak', 'not ours');
    const lock = tryLock(disk.seenBy(2), 'repo');
    expect(isLock(lock)).toBe(true);
    expect(disk.names()).toEqual(['pds.lock', 'pds.lock.bak']);
    (lock as Lock).release();
    expect(disk.names()).toEqual(['pds.lock.bak']);
  });

  // Each takes the two seconds of such a lock.
  test.concurrent.each([
    ['a new empty file', ''],
    ['a new file with half a record', record(9, 'a').slice(0, 20)],
  ])('%s is a lock being taken', async (_, text) => {
    const disk = new LockDisk();
    disk.kill(9);
    disk.leave('pds.lock', text);
    expect(tryLock(disk.seenBy(2), 'repo')).toEqual({ kind: 'writing' });
    expect(disk.text('pds.lock')).toBe(text);
    // Its creator was killed. The caller need not call again.
    (await acquireLock(disk.seenBy(2), 'repo')).release();
  });

  test('a lock whose removal fails is withdrawn; if that fails too, its own process takes it again', async () => {
    const disk = new LockDisk();
    const seen = disk.seenBy(1);
    const failure = new Error('EIO');
    const fail = (): never => {
      throw failure;
    };
    const withdrawn = await acquireLock({ ...seen, remove: fail }, 'repo');
    expect(() => withdrawn.release()).toThrow(expect.objectContaining({ code: 'StorageFailed', cause: failure }));
    (await acquireLock(disk.seenBy(2), 'repo')).release();

    let isWritable = true;
    const broken = {
      ...seen,
      createLocked(path: string) {
        const file = seen.createLocked(path);
        return {
          ...file,
          write: (bytes: Uint8Array, at: { at: number }) => (isWritable ? file.write(bytes, at) : fail()),
          close: () => file.close(),
        };
      },
      remove: (path: string) => (isWritable ? seen.remove(path) : fail()),
    };
    const kept = await acquireLock(broken, 'repo');
    isWritable = false;
    expect(() => kept.release()).toThrow(expect.objectContaining({ cause: failure }));
    isWritable = true;
    await expect(acquireLock(disk.seenBy(2), 'repo')).rejects.toThrow(/pid=1 /);
    (await acquireLock(broken, 'repo')).release();
    expect(disk.names()).toEqual([]);
  });

  test.each([24, 25, 300])(
    'the lock is taken after %i stale successors, and every name fits a file system',
    (count) => {
      const disk = new LockDisk();
      disk.kill(9);
      let name = 'pds.lock';
      const names = new Set<string>();
      for (let i = 0; i <= count; i++) {
        expect(name.length, name).toBeLessThanOrEqual(120);
        expect(names.has(name), name).toBe(false);
        names.add(name);
        disk.leave(name, record(9, 'a'));
        name = successorOf(name, MADE);
      }
      const lock = tryLock(disk.seenBy(2), 'repo');
      expect(isLock(lock)).toBe(true);
      expect(disk.names()).toEqual(['pds.lock']);
      (lock as Lock).release();
      expect(disk.names()).toEqual([]);
    },
  );

  test('two files have two successors, also with hashed names', () => {
    const long = `pds.lock${'.m0-'.repeat(28)}`;
    const successors = [successorOf(long, MADE), successorOf(long, MADE + 1), successorOf(`${long}.1-`, MADE)];
    expect(new Set(successors).size).toBe(3);
    expect(successorOf(long, MADE)).toMatch(/^pds\.lock\.[0-9a-f]{32}-$/);
    expect(successorOf(successorOf(long, MADE), MADE)).not.toBe(successorOf('pds.lock', MADE));
  });

  test('a running successor is the holder', async () => {
    const disk = new LockDisk();
    disk.kill(9);
    disk.leave('pds.lock', record(9, 'a'));
    disk.leave(next, record(3, 'b'));
    await expect(acquireLock(disk.seenBy(2), 'repo')).rejects.toThrow(/pid=3 /);
  });

  test('an endless chain is an error, not a loop', async () => {
    const disk = new LockDisk();
    disk.kill(9);
    const endless = {
      ...disk.seenBy(2),
      entry: () => ({ kind: 'file', size: 100, modifiedMs: MADE }) as const,
      readText: () => record(9, 'a'),
    };
    await expect(acquireLock(endless, 'repo')).rejects.toEqual(code('StorageFailed'));
  });

  test('on a full disk, no lock file is left', async () => {
    const disk = new LockDisk();
    const seen = disk.seenBy(2);
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const createLocked = (path: string): DiskFile => ({
      ...seen.createLocked(path),
      write: () => {
        throw full;
      },
    });
    await expect(acquireLock({ ...seen, createLocked }, 'repo')).rejects.toMatchObject({
      code: 'StorageFull',
      cause: full,
    });
    expect(disk.names()).toEqual([]);
  });

  test('a failure after the record was written withdraws it', async () => {
    const disk = new LockDisk();
    const seen = disk.seenBy(2);
    const failure = Object.assign(new Error('broken disk'), { code: 'EIO' });
    const names = (): string[] => {
      throw failure;
    };
    await expect(acquireLock({ ...seen, names }, 'repo')).rejects.toMatchObject({
      code: 'StorageFailed',
      cause: failure,
    });
    (await acquireLock(disk.seenBy(3), 'repo')).release();
    expect(disk.names()).toEqual([]);
  });
});

describe('waiting', () => {
  test('takes the lock once it is released', async () => {
    const disk = new LockDisk();
    const first = await acquireLock(disk.seenBy(1), 'repo');
    setTimeout(() => first.release(), 50);
    const second = await acquireLock(disk.seenBy(2), 'repo', { waitMs: 20_000 });
    expect(disk.text('pds.lock')).toContain('"pid":2');
    second.release();
  });

  test('ends with Locked after the timeout', async () => {
    const disk = new LockDisk();
    await acquireLock(disk.seenBy(1), 'repo');
    const start = performance.now();
    await expect(acquireLock(disk.seenBy(2), 'repo', { waitMs: 60 })).rejects.toEqual(code('Locked'));
    expect(performance.now() - start).toBeGreaterThanOrEqual(59);
  });

  test('ends with the reason of its signal', async () => {
    const disk = new LockDisk();
    await acquireLock(disk.seenBy(1), 'repo');
    const reason = new Error('enough');
    const abort = new AbortController();
    setTimeout(() => abort.abort(reason), 20);
    await expect(acquireLock(disk.seenBy(2), 'repo', { waitMs: 60_000, signal: abort.signal })).rejects.toBe(reason);
    await expect(acquireLock(disk.seenBy(2), 'repo', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
