/** Whether the holder of a lock still runs, by what each system tells of its processes. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LockHolder } from '../../../src/adapters/files/lock-record.ts';
import { macStat } from '../../../src/adapters/files/mac-process.ts';
import { livenessOf, thisProcess } from '../../../src/adapters/files/node-process.ts';
import type { Processes } from '../../../src/adapters/files/node-process.ts';

const self: LockHolder = { pid: 100, runtime: 'node', started: '5', boot: 'boot', host: 'here', namespace: 'pid:[1]' };
/** The machine on which `self` runs. Process 7 is there, since 3. */
const linux: Processes = {
  self,
  hasNamespaces: true,
  isThere: (pid) => pid === 7 || pid === 100,
  statOf: (pid) => ({ state: 'S', started: pid === 7 ? '3' : '5' }),
  threadStat: (_, thread) => (thread === '71' ? { state: 'S', started: '4' } : 'gone'),
  openFile: (descriptor) => (descriptor === 3 ? '1:10' : 'gone'),
};
const windows: Processes = {
  ...linux,
  self: { pid: 100, runtime: 'node', host: 'here' },
  hasNamespaces: false,
  statOf: () => undefined,
};
const mac: Processes = { ...linux, self: { ...self, namespace: undefined }, hasNamespaces: false };

const holder = (changes: Partial<LockHolder> = {}): LockHolder => ({ ...self, pid: 7, started: '3', ...changes });
const deno = (changes: Partial<LockHolder> = {}): LockHolder => ({ pid: 7, runtime: 'deno', flock: true, ...changes });

describe.each([
  ['Linux', linux, {}],
  ['macOS', mac, { namespace: undefined }],
])('on %s', (_, processes, changes) => {
  test.each([
    ['its pid and its start time are there', {}, 'alive'],
    ['its pid is not there', { pid: 8 }, 'gone'],
    ['its pid is that of a later process', { started: '2' }, 'gone'],
    ['it does not say when it started, and the pid is there', { started: undefined }, 'unknown'],
    ['the machine was started since', { boot: 'before', pid: 7 }, 'gone'],
    ['it is on another host', { host: 'there', boot: 'of there', pid: 8 }, 'unknown'],
    [
      'it is on another host, and does not say when that was started',
      { host: 'there', boot: undefined, pid: 8 },
      'unknown',
    ],
    ['it does not say where it is', { host: undefined, boot: undefined, pid: 8 }, 'unknown'],
    ['the host had another name', { host: 'before', pid: 8 }, 'gone'],
    ['the host had another name, and it is there', { host: 'before' }, 'alive'],
    ['the host has no name, and it is there', { host: undefined }, 'alive'],
    ['its thread is there', { thread: '71:4' }, 'alive'],
    ['its thread is not there', { thread: '72:4' }, 'gone'],
    ['its thread is that of a later one', { thread: '71:3' }, 'gone'],
    ['its thread is no number', { thread: '../1' }, 'alive'],
  ] as const)('%s: %o is %s', (_name, more, expected) => {
    expect(livenessOf(holder({ ...changes, ...more }), processes)).toBe(expected);
  });
});

test('a thread of this process has ended where its lock file is closed', () => {
  const mine = { ...holder({ pid: 100, started: '5' }), file: '1:10' };
  expect(livenessOf({ ...mine, descriptor: 3 }, linux)).toBe('alive');
  expect(livenessOf({ ...mine, descriptor: 4 }, linux)).toBe('gone');
  expect(livenessOf({ ...mine, file: '1:11', descriptor: 3 }, linux)).toBe('gone');
  expect(livenessOf({ ...mine, descriptor: 3, pid: 100 }, windows)).toBe('unknown');
  expect(livenessOf({ ...mine, descriptor: 4, pid: 7, started: '3' }, linux)).toBe('alive');
  expect(livenessOf({ ...mine, descriptor: 3 }, { ...linux, openFile: () => undefined })).toBe('alive');
});

test('a zombie is gone', () => {
  expect(livenessOf(holder(), { ...linux, statOf: () => ({ state: 'Z', started: '3' }) })).toBe('gone');
});

test('where pids have namespaces, nobody of another one is gone, nor of one that is not named', () => {
  expect(livenessOf(holder({ pid: 8, namespace: 'pid:[2]' }), linux)).toBe('unknown');
  expect(livenessOf(holder({ pid: 8, namespace: undefined }), linux)).toBe('unknown');
  const masked = { ...linux, self: { ...self, namespace: undefined } };
  expect(livenessOf(holder({ pid: 8, namespace: undefined }), masked)).toBe('unknown');
});

test('a Deno that may say nothing of itself may run anywhere, and one that may say all is judged as a Node', () => {
  expect(livenessOf(deno({ pid: 8 }), linux)).toBe('unknown');
  expect(livenessOf(deno({ pid: 8, host: 'here' }), linux)).toBe('unknown');
  expect(livenessOf(deno({ ...holder({ pid: 8 }), runtime: 'deno' }), linux)).toBe('gone');
  expect(livenessOf(deno({ pid: 8, host: 'here' }), windows)).toBe('gone');
});

test('where start times are not told, a pid that is there may be any process', () => {
  const left = { pid: 7, runtime: 'node', host: 'here' } as const;
  expect(livenessOf(left, windows)).toBe('unknown');
  expect(livenessOf({ ...left, pid: 8 }, windows)).toBe('gone');
});

test.skipIf(!existsSync('/bin/ps'))(
  'ps tells when a process started, the same each time, and of one that is not there nothing (needs /bin/ps)',
  () => {
    const stat = macStat(process.pid);
    expect(stat).toMatchObject({
      state: expect.stringMatching(/^[RSDI]$/),
      started: expect.stringMatching(/^\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}$/),
    });
    expect(macStat(process.pid)?.started).toBe(stat?.started);
    expect(macStat(2 ** 22 + 1)).toBeUndefined();
  },
);

test('this process is alive', () => {
  expect(livenessOf(thisProcess())).toBe(thisProcess().started === undefined ? 'unknown' : 'alive');
});
