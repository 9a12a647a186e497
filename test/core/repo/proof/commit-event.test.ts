/** Events of real hosts, and gaps between them. */
import { describe, expect, test } from 'vitest';
import { cidBytesToText, cidOf, cidToText } from '../../../../src/core/data/cid.ts';
import type { CID } from '../../../../src/core/data/cid.ts';
import { fromJson } from '../../../../src/core/data/json.ts';
import type { JsonValue } from '../../../../src/core/data/json.ts';
import { readCar } from '../../../../src/core/car/reader.ts';
import type { CommitEvent } from '../../../../src/core/repo/proof/commit-event.ts';
import { verifyCommitEvent } from '../../../../src/core/repo/proof/verify-commit-event.ts';
import { vectorJson, vectorNames } from '../../../vectors.ts';
import { eventOf, finalCar, recordedMessages, session } from './recorded-session.ts';

const messages = recordedMessages();
const events = messages.filter(({ type }) => type === 'commit').map((message) => eventOf(message) as CommitEvent);
const ours = events.filter(({ repo }) => repo === session.did);
const other = cidOf(0x71, new Uint8Array([1]));

describe('a recorded session', () => {
  test('is a chain of valid events, but for an import that no event announced', async () => {
    const known = new Map<string, { since: string; prevData: CID }>();
    const states: string[] = [];
    for (const message of messages.filter(({ type }) => type === 'commit' || type === 'sync')) {
      const event = eventOf(message);
      const did = event.type === 'commit' ? event.repo : event.did;
      const { state, reason, commit } = await verifyCommitEvent(event, known.get(did));
      states.push(state);
      if (state !== 'valid') {
        expect({ seq: message.seq, state, reason }).toEqual({
          seq: 188,
          state: 'desynchronized',
          reason: 'the event follows another rev; known=3n3e2c5q2fr2x since=3n3e2c3zchb2x',
        });
      }
      known.set(did, { since: event.rev, prevData: commit!.data });
    }
    expect(states.filter((state) => state === 'valid')).toHaveLength(174);
    // The last head of the account is that of its last CAR.
    expect(cidToText(ours.at(-1)!.commit)).toBe(cidToText(readCar(finalCar()).roots[0]!));
  });

  test('is signed by the first key, and by the second one once it was rotated', async () => {
    const signedBy: number[] = [];
    for (const event of ours) {
      const states = await Promise.all(
        session.keys.map(async (key) => (await verifyCommitEvent(event, { key })).state),
      );
      expect(states.toSorted()).toEqual(['invalid', 'valid']);
      signedBy.push(states.indexOf('valid'));
    }
    expect(signedBy).toEqual(signedBy.toSorted());
    expect(new Set(signedBy).size).toBe(2);
  });

  test('names what each operation changes', async () => {
    for (const event of ours) {
      const { changes } = await verifyCommitEvent(event);
      expect(changes.map(({ key, to }) => `${key} ${to && cidBytesToText(to)}`)).toEqual(
        event.ops.map(({ path, cid }) => `${path} ${cid?.toString()}`),
      );
    }
  });
});

test('messages from before Sync 1.1 are unproven: they lack prevData, or nodes that deletes need', async () => {
  for (const name of vectorNames('firehose', /\.json$/)) {
    const body = fromJson(vectorJson<JsonValue>(`firehose/${name}`)) as Omit<CommitEvent, 'type'>;
    const report = await verifyCommitEvent({ ...body, type: 'commit' });
    expect(report, name).toMatchObject({ state: 'unproven', reason: expect.any(String) as string });
    expect(report.changes).toHaveLength(body.ops.length);
  }
});

describe('an event', () => {
  test('that does not follow the known commit is desynchronized', async () => {
    const [first, second] = [ours[5]!, ours[6]!];
    const { commit } = await verifyCommitEvent(first);
    const known = { since: first.rev, prevData: commit!.data };
    expect(await verifyCommitEvent(second, known)).toMatchObject({ state: 'valid', reason: undefined });
    const gaps = [
      { ...known, since: ours[4]!.rev },
      { ...known, prevData: other },
      { since: null, prevData: null },
      { since: null },
    ];
    for (const gap of gaps) {
      expect(await verifyCommitEvent(second, gap)).toMatchObject({ state: 'desynchronized' });
    }
    // The first commit follows nothing.
    expect(await verifyCommitEvent(ours[0]!, { since: null, prevData: null })).toMatchObject({ state: 'valid' });
    expect(await verifyCommitEvent({ ...ours[0]!, since: undefined as never })).toMatchObject({ state: 'unproven' });
  });

  test('may be too large', async () => {
    const blocks = new Uint8Array(2_000_001);
    blocks.set(ours[1]!.blocks);
    expect(await verifyCommitEvent({ ...ours[1]!, blocks })).toMatchObject({ state: 'invalid' });
    const sync = eventOf(messages.find(({ type }) => type === 'sync')!);
    const padded = new Uint8Array(10_001);
    padded.set(sync.blocks);
    expect(await verifyCommitEvent({ ...sync, blocks: padded })).toMatchObject({ state: 'invalid' });
  });

  test('is judged with a key, and a text that is not a key is an error', async () => {
    await expect(verifyCommitEvent(ours[0]!, { key: 'did:key:none' })).rejects.toMatchObject({ code: 'UnknownKey' });
  });
});
