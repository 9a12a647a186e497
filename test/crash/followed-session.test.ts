/** A copy that follows a recorded session of the reference server, and whose process ends at every message. */
import { describe, expect, test } from 'vitest';
import { cidToText } from '../../src/core/data/cid.ts';
import { readCar } from '../../src/core/car/reader.ts';
import type { CommitEvent, SyncEvent } from '../../src/core/repo/proof/commit-event.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import type { Message } from '../core/repo/proof/recorded-session.ts';
import { eventOf, finalCar, recordedMessages, session } from '../core/repo/proof/recorded-session.ts';
import { seeded } from '../random/seeded.ts';
import { onDisk } from './storage-kind.ts';

const CURSOR = 'app:cursor';
/** What an import that the server does not announce leaves out. */
const UNANNOUNCED = 188;

const isOurs = (event: CommitEvent | SyncEvent): boolean =>
  (event.type === 'commit' ? event.repo : event.did) === session.did;

const messages = recordedMessages().filter(
  (message) => (message.type === 'commit' || message.type === 'sync') && isOurs(eventOf(message)),
);
const followed = messages.filter(({ seq }) => seq < UNANNOUNCED);

/** The sync events of the session repeat the commit before them. */
const expectedOf = ({ type }: Message): string => (type === 'commit' ? 'applied' : 'ignored');

const apply = async (repo: Repo, message: Message): Promise<string> => {
  const { outcome } = await repo.applyEvent(eventOf(message), { meta: { [CURSOR]: String(message.seq) } });
  return outcome;
};

const cursorOf = async (repo: Repo): Promise<number> => Number((await repo.meta.get(CURSOR)) ?? -1);

describe('a copy that follows the messages of a host', () => {
  test('reaches the head of each, and the last head with one import where the host told of nothing', async () => {
    const { place } = onDisk.run(onDisk.blank());
    const repo = await place.open(session.did);
    let cursor = -1;
    for (const message of followed) {
      expect([message.seq, await apply(repo, message)]).toEqual([message.seq, expectedOf(message)]);
      cursor = message.type === 'commit' ? message.seq : cursor;
      expect(await cursorOf(repo)).toBe(cursor);
    }
    for (const message of messages.filter(({ seq }) => seq >= UNANNOUNCED)) {
      expect(await apply(repo, message)).toBe('desynchronized');
    }
    await repo.importCar(finalCar());
    for (const message of messages) {
      expect(await apply(repo, message)).toBe('ignored');
    }
    expect(cidToText((await repo.head())!.cid)).toBe(cidToText(readCar(finalCar()).roots[0]!));
    expect((await repo.verify()).faults).toEqual([]);
    await repo.close();
  });

  test('continues after the process has ended during any message (seed 31)', { timeout: 300_000 }, async () => {
    const random = seeded(31);
    const image = onDisk.blank();
    let { place } = onDisk.run(image);
    let repo = await place.open(session.did);
    const heads = new Map([[-1, 'none']]);
    for (const message of followed) {
      // The process ends after some of the steps of the transaction.
      const applying = apply(repo, message).catch(() => 'killed');
      for (let steps = Math.floor(random() * 60); steps > 0; steps--) {
        await Promise.resolve();
      }
      place.kill();
      await applying;
      await repo.close().catch(() => undefined);
      ({ place } = onDisk.run(image));
      repo = await place.open();
      const cursor = await cursorOf(repo);
      const head = await repo.head();
      heads.set(cursor, heads.get(cursor) ?? (head === undefined ? 'none' : cidToText(head.cid)));
      // The head and the cursor always belong together.
      expect(head === undefined ? 'none' : cidToText(head.cid)).toBe(heads.get(cursor));
      const missed = followed.filter(({ seq }) => seq > cursor && seq <= message.seq);
      expect(missed.filter(({ type }) => type === 'commit').length).toBeLessThanOrEqual(1);
      for (const again of missed) {
        expect(await apply(repo, again)).toBe(expectedOf(again));
      }
      heads.set(await cursorOf(repo), cidToText((await repo.head())!.cid));
    }
    expect((await repo.verify()).faults).toEqual([]);
    await repo.close();
  });
});
