/** The table of the outbox: the host's value at a path decides about a pending change. */
import { describe, expect, test } from 'vitest';
import { decide } from '../../../src/sync/outbox/decide.ts';
import type { Verdict } from '../../../src/sync/outbox/decide.ts';
import type { Entry, EntryState, Value } from '../../../src/sync/outbox/entry.ts';
import { ENTRY_STATES, entryName } from '../../../src/sync/outbox/entry.ts';
import { afterOutcome, sendingEntry } from '../../../src/sync/outbox/transitions.ts';

const entry = (state: EntryState, more: Partial<Entry> = {}): Entry => ({
  path: 'com.example.note/a',
  state,
  base: 'base',
  ours: 'ours',
  attempts: 1,
  ...(state === 'sending' || state === 'unknown' ? { sent: 'ours', rev: '3' } : {}),
  ...(state === 'landed' ? { rev: '3' } : {}),
  ...more,
});
const verdict = (given: Entry, value: Value, rev: string | undefined = '3'): Verdict => decide(given, { rev, value });

describe('a change that was not sent', () => {
  test.each(['queued', 'rejected', 'waitingForSession'] as const)('%s', (state) => {
    expect(verdict(entry(state), 'base')).toBe('keep');
    expect(verdict(entry(state), 'ours')).toBe('landed');
    expect(verdict(entry(state), 'other')).toBe('conflict');
    expect(verdict(entry(state), null)).toBe('conflict');
    expect(verdict(entry(state, { ours: null }), null)).toBe('landed');
    expect(verdict(entry(state, { base: null }), null)).toBe('keep');
  });
});

describe.each(['sending', 'unknown'] as const)('a change with an unknown result: %s', (state) => {
  test('an update or a deletion', () => {
    expect(verdict(entry(state), 'ours', '4')).toBe('landed');
    expect(verdict(entry(state), 'base', '4')).toBe('retry');
    expect(verdict(entry(state), 'other', '4')).toBe('conflict');
    expect(verdict(entry(state), null, '4')).toBe('conflict');
    const deletion = entry(state, { ours: null, sent: null });
    expect(verdict(deletion, null)).toBe('landed');
    expect(verdict(deletion, 'base')).toBe('retry');
  });

  test('a create is sent again only if the rev of the host has not moved', () => {
    const create = entry(state, { base: null });
    expect(verdict(create, 'ours', '4')).toBe('landed');
    expect(verdict(create, null, '3')).toBe('retry');
    expect(verdict(create, null, '4')).toBe('conflict');
    expect(verdict(create, 'other', '4')).toBe('conflict');
  });

  test('with a newer value on the branch', () => {
    const newer = entry(state, { sent: 'sent' });
    expect(verdict(newer, 'sent')).toBe('landedBefore');
    expect(verdict(newer, 'base')).toBe('retry');
    expect(verdict(newer, 'ours')).toBe('landed');
    expect(verdict(newer, 'other')).toBe('conflict');
  });
});

test('a change that has landed waits for a copy that has its commit', () => {
  expect(verdict(entry('landed'), 'base', '2')).toBe('keep');
  expect(decide(entry('landed'), { rev: undefined, value: 'base' })).toBe('keep');
  expect(verdict(entry('landed'), 'ours', '2')).toBe('landed');
  expect(verdict(entry('landed'), 'ours', '3')).toBe('landed');
  // The other side has changed it since. Its value is the newer one.
  expect(verdict(entry('landed'), 'other', '4')).toBe('landed');
  expect(verdict(entry('landed'), null, '4')).toBe('landed');
});

test('a copy that is older than the base decides nothing', () => {
  for (const value of ['other', 'ours', null]) {
    expect(verdict(entry('queued', { baseRev: '5' }), value, '4')).toBe('keep');
    expect(verdict(entry('queued', { baseRev: '5' }), 'other', '5')).toBe('conflict');
  }
});

test('a conflict ends only when both sides are equal', () => {
  expect(verdict(entry('conflict'), 'base')).toBe('keep');
  expect(verdict(entry('conflict'), 'other')).toBe('keep');
  expect(verdict(entry('conflict'), 'ours')).toBe('landed');
});

describe('states around a request', () => {
  const sending = sendingEntry(entry('queued', { attempts: 0 }), '3');
  const stopped = (status: 'rateLimited' | 'waitingForSession'): Entry =>
    afterOutcome(sending, 'ours', { kind: 'stopped', status, error: new Error('no') }, false);

  test('an expired session and a rate limit consume no attempt', () => {
    expect(sending).toMatchObject({ state: 'sending', sent: 'ours', rev: '3', attempts: 1 });
    expect(stopped('waitingForSession')).toMatchObject({ state: 'waitingForSession', attempts: 0 });
    expect(stopped('rateLimited')).toMatchObject({ state: 'queued', attempts: 0 });
    expect('sent' in stopped('rateLimited')).toBe(false);
  });

  test('a value that was written during the request becomes the next change', () => {
    const commit = { cid: 'commit', rev: '4' };
    expect(afterOutcome(sending, 'ours', { kind: 'landed', commit }, false)).toMatchObject({
      state: 'landed',
      rev: '4',
    });
    const newer = afterOutcome({ ...sending, ours: 'newer' }, 'ours', { kind: 'landed', commit }, false);
    expect(newer).toMatchObject({ state: 'queued', base: 'ours', baseRev: '4', ours: 'newer' });
    const refused = afterOutcome({ ...sending, ours: 'newer' }, 'ours', { kind: 'rejected', error: 1 }, false);
    expect(refused).toMatchObject({ state: 'queued', base: 'base', ours: 'newer' });
  });

  test('an acceptance without a commit needs a pull', () => {
    expect(afterOutcome(sending, 'ours', { kind: 'landed', commit: undefined }, false)).toMatchObject({
      state: 'unknown',
      sent: 'ours',
    });
  });
});

test('every path has a name in meta, also a long one', () => {
  const long = (end: string): string => `com.example.note/${'x'.repeat(500)}${end}`;
  expect(entryName('com.example.note/a')).toBe('app:outbox:com.example.note/a');
  expect(entryName(long('a'))).not.toBe(entryName(long('b')));
  expect(entryName(long('a')).length).toBeLessThan(256);
  expect(ENTRY_STATES).toHaveLength(7);
});
