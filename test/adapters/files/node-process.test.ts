/** Whether the holder of a lock still runs, with the process data of each system. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LockHolder } from '../../../src/adapters/files/lock-record.ts';
import { macStat } from '../../../src/adapters/files/mac-process.ts';
import { livenessOf, thisProcess } from '../../../src/adapters/files/node-process.ts';
import type { Processes } from '../../../src/adapters/files/node-process.ts';

const self: LockHolder = { pid: 100, runtime: 'node', started: '5', boot: 'boot', host: 'here', namespace: 'pid:[1]' };
/** The machine on which `self` runs. Process 7 exists and started at 3. */
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
    ['its pid and its start time match', {}, 'alive'],
    ['its pid is missing', { pid: 8 }, 'gone'],
    ['a later process has its pid', { started: '2' }, 'gone'],
    ['it has no start time, and the pid exists', { started: undefined }, 'unknown'],
    ['the machine has booted again', { boot: 'before', pid: 7 }, 'gone'],
    ['it is on another host', { host: 'there', boot: 'of there', pid: 8 }, 'unknown'],
    ['it is on another host, without a boot id', { host: 'there', boot: undefined, pid: 8 }, 'unknown'],
    ['it has no host and no boot id', { host: undefined, boot: undefined, pid: 8 }, 'unknown'],
    ['the host had another name', { host: 'before', pid: 8 }, 'gone'],
    ['the host had another name, and the pid exists', { host: 'before' }, 'alive'],
    ['the host has no name, and the pid exists', { host: undefined }, 'alive'],
    ['its thread exists', { thread: '71:4' }, 'alive'],
    ['its thread is missing', { thread: '72:4' }, 'gone'],
    ['a later thread has its id', { thread: '71:3' }, 'gone'],
    ['its thread is not a number', { thread: '../1' }, 'alive'],
  ] as const)('%s: %o is %s', (_name, more, expected) => {
    expect(livenessOf(holder({ ...changes, ...more }), processes)).toBe(expected);
  });
});

test('a thread of this process has ended if its lock file is closed', () => {
  const mine = { ...holder({ pid: 100, started: '5' }), file: '1:10' };
  expect(livenessOf({ ...mine, descriptor: 3 }, linux)).toBe('alive');
  expect(livenessOf({ ...mine, descriptor: 4 }, linux)).toBe('gone');
  expect(livenessOf({ ...mine, file: '1:11', descriptor: 3 }, linux)).toBe('gone');
  expect(livenessOf({ ...mine, descriptor: 3, pid: 100 }, windows)).toBe('unknown');
  expect(livenessOf({ ...mine, descriptor: 4, pid: 7, started: '3' }, linux)).toBe('alive');
  expect(livenessOf({ ...mine, descriptor: 3 }, { ...linux, openFile: () => undefined })).toBe('alive');
});

test('a zombie has ended', () => {
  expect(livenessOf(holder(), { ...linux, statOf: () => ({ state: 'Z', started: '3' }) })).toBe('gone');
});

test('with pid namespaces, a holder in another or an unnamed namespace is unknown', () => {
  expect(livenessOf(holder({ pid: 8, namespace: 'pid:[2]' }), linux)).toBe('unknown');
  expect(livenessOf(holder({ pid: 8, namespace: undefined }), linux)).toBe('unknown');
  const masked = { ...linux, self: { ...self, namespace: undefined } };
  expect(livenessOf(holder({ pid: 8, namespace: undefined }), masked)).toBe('unknown');
});

test('a Deno without permissions is unknown, and one with all permissions is checked like Node', () => {
  expect(livenessOf(deno({ pid: 8 }), linux)).toBe('unknown');
  expect(livenessOf(deno({ pid: 8, host: 'here' }), linux)).toBe('unknown');
  expect(livenessOf(deno({ ...holder({ pid: 8 }), runtime: 'deno' }), linux)).toBe('gone');
  expect(livenessOf(deno({ pid: 8, host: 'here' }), windows)).toBe('gone');
});

test('without start times, an existing pid is unknown', () => {
  const left = { pid: 7, runtime: 'node', host: 'here' } as const;
  expect(livenessOf(left, windows)).toBe('unknown');
  expect(livenessOf({ ...left, pid: 8 }, windows)).toBe('gone');
});

test.skipIf(!existsSync('/bin/ps'))(
  'ps returns the same start time each time, and nothing for a missing process (needs /bin/ps)',
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

test('this process runs', () => {
  expect(livenessOf(thisProcess())).toBe(thisProcess().started === undefined ? 'unknown' : 'alive');
});
