/** Events that were changed on their way, many times. */
import { describe, expect, test } from 'vitest';
import { cidOf, cidToText } from '../../../../src/core/data/cid.ts';
import { readCar } from '../../../../src/core/car/reader.ts';
import { writeCar } from '../../../../src/core/car/writer.ts';
import type { CommitEvent, EventOp } from '../../../../src/core/repo/proof/commit-event.ts';
import { verifyCommitEvent } from '../../../../src/core/repo/proof/verify-commit-event.ts';
import { seeded } from '../../../random/seeded.ts';
import { eventOf, recordedMessages, session } from './recorded-session.ts';

const events = recordedMessages()
  .filter(({ type }) => type === 'commit')
  .map((message) => eventOf(message) as CommitEvent);
const ours = events.filter(({ repo }) => repo === session.did);
const other = cidOf(0x71, new Uint8Array([1]));

describe('a forged event', () => {
  const full = ours.filter(({ ops }) => ops.length > 0);
  const picked = (random: () => number): CommitEvent => full[Math.floor(random() * full.length)]!;
  const withOp = (event: CommitEvent, random: () => number, change: (op: EventOp) => EventOp): CommitEvent => {
    const at = Math.floor(random() * event.ops.length);
    return { ...event, ops: event.ops.map((op, i) => (i === at ? change(op) : op)) };
  };
  const forgeries: Readonly<Record<string, (event: CommitEvent, random: () => number) => CommitEvent>> = {
    'another account': (event) => ({ ...event, repo: 'did:web:mallory.example.com' }),
    'another commit': (event) => ({ ...event, commit: other }),
    'another rev': (event) => ({ ...event, rev: '3n3e2c5q2fr2z' }),
    'another prevData': (event) => ({ ...event, prevData: other }),
    'an operation removed': (event, random) => ({
      ...event,
      ops: event.ops.toSpliced(Math.floor(random() * event.ops.length), 1),
    }),
    'an operation invented': (event) => ({
      ...event,
      ops: [...event.ops, { action: 'create', path: 'com.example.note/invented', cid: other }],
    }),
    'a delete invented': (event) => ({
      ...event,
      ops: [...event.ops, { action: 'delete', path: 'com.example.note/invented', cid: null, prev: other }],
    }),
    'an operation twice': (event) => ({ ...event, ops: [...event.ops, event.ops[0]!] }),
    'another path': (event, random) => withOp(event, random, (op) => ({ ...op, path: `${op.path}z` })),
    'another cid': (event, random) =>
      withOp(event, random, (op) => ({ ...op, cid: op.action === 'delete' ? null : other, prev: other })),
    'another action': (event, random) =>
      withOp(event, random, (op) => ({ ...op, action: op.action === 'create' ? 'update' : 'create' })),
    'an unknown action': (event, random) => withOp(event, random, (op) => ({ ...op, action: 'move' as 'create' })),
    'a block removed': (event, random) => {
      const car = readCar(event.blocks);
      const blocks = [...car].filter(({ cid }) => cidToText(cid) !== cidToText(event.commit));
      const without = Math.floor(random() * blocks.length);
      const commit = [...car].find(({ cid }) => cidToText(cid) === cidToText(event.commit))!;
      return { ...event, blocks: writeCar([event.commit], [commit, ...blocks.toSpliced(without, 1)]) };
    },
    'no blocks': (event) => ({ ...event, blocks: undefined as unknown as CommitEvent['blocks'] }),
    '201 operations': (event) => ({
      ...event,
      ops: Array.from({ length: 201 }, (_, i) => ({
        action: 'create' as const,
        path: `com.example.note/${i}`,
        cid: other,
      })),
    }),
  };

  test.each(Object.entries(forgeries))('with %s is not valid (100 times)', async (name, forge) => {
    const random = seeded(120);
    for (let i = 0; i < 100; i++) {
      const event = picked(random);
      const { state, reason } = await verifyCommitEvent(forge(event, random), { key: session.keys[0] });
      // Blocks that no proof needs may be left out. The event is valid then, and says the same.
      if (name === 'a block removed' && state === 'valid') {
        continue;
      }
      expect(['invalid', 'unproven'], `${event.rev}: ${reason}`).toContain(state);
      expect(reason).toBeTypeOf('string');
    }
  });

  test('with a flipped byte in its blocks is not valid (2,000 times, seed 121)', async () => {
    const random = seeded(121);
    const key = session.keys[0];
    const signed = [];
    for (const event of full) {
      if ((await verifyCommitEvent(event, { key })).state === 'valid') {
        signed.push(event);
      }
    }
    expect(signed.length).toBeGreaterThan(50);
    for (let i = 0; i < 2000; i++) {
      const event = signed[Math.floor(random() * signed.length)]!;
      const blocks = event.blocks.slice();
      blocks[Math.floor(random() * blocks.length)]! ^= 1 << Math.floor(random() * 8);
      const { state } = await verifyCommitEvent({ ...event, blocks }, { key });
      expect(state, event.rev).not.toBe('valid');
    }
  });
});
