/** A copy that follows the commits of `@atproto/repo`, and refuses every event that was changed on its way. */
import { describe, expect, test } from 'vitest';
import { readAll } from '../../../../src/core/data/streams.ts';
import { cidOf, cidToText } from '../../../../src/core/data/cid.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import type { CommitEvent } from '../../../../src/core/repo/proof/commit-event.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import type { Repo } from '../../../../src/core/repo/repo.ts';
import { DID } from '../../../../src/testing/repo/harness.ts';
import { seeded } from '../../../random/seeded.ts';
import { ReferenceHost } from './reference-host.ts';

const COMMITS = 1000;
/** Changed events of each kind. */
const TRIES = 100;
/** Changed events are tried before every eighth commit. */
const EVERY = 8;

const memoryRepo = (): Repo => repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
const other = cidOf(0x71, new Uint8Array([1]));

type Forge = (event: CommitEvent, random: () => number, earlier: CommitEvent) => CommitEvent;

const withOp = (event: CommitEvent, random: () => number, change: (op: CommitEvent['ops'][number]) => object) => {
  const at = Math.floor(random() * event.ops.length);
  return { ...event, ops: event.ops.map((op, i) => (i === at ? { ...op, ...change(op) } : op)) } as CommitEvent;
};

const forgeries: Readonly<Record<string, Forge>> = {
  'the event before, again': (_, __, earlier) => earlier,
  'another account': (event) => ({ ...event, repo: 'did:web:mallory.example.com' }),
  'another commit': (event) => ({ ...event, commit: other }),
  'a later rev': (event) => ({ ...event, rev: `${event.rev.slice(0, -1)}${event.rev.endsWith('z') ? 'y' : 'z'}` }),
  'another since': (event) => ({ ...event, since: '3n3e2c5q2fr2z' }),
  'no since': (event) => ({ ...event, since: null }),
  'another prevData': (event) => ({ ...event, prevData: other }),
  'no prevData': ({ prevData: _, ...event }) => event,
  'an operation invented': (event) => ({
    ...event,
    ops: [...event.ops, { action: 'create', path: 'com.example.note/invented', cid: other }],
  }),
  'an operation removed': (event, random) => ({
    ...event,
    ops: event.ops.toSpliced(Math.floor(random() * event.ops.length), 1),
  }),
  'an operation with another action': (event, random) =>
    withOp(event, random, ({ action }) => ({ action: action === 'create' ? 'update' : 'create' })),
  'an operation on another path': (event, random) => withOp(event, random, ({ path }) => ({ path: `${path}z` })),
  'an operation with another cid': (event, random) => withOp(event, random, () => ({ cid: other })),
  'an operation with another prev': (event, random) => withOp(event, random, () => ({ prev: other })),
  'the blocks of the event before': (event, _, earlier) => ({ ...event, blocks: earlier.blocks }),
  'a flipped bit in the blocks': (event, random) => {
    const blocks = event.blocks.slice();
    blocks[Math.floor(random() * blocks.length)]! ^= 1 << Math.floor(random() * 8);
    return { ...event, blocks };
  },
};

/** Twenty times as many for single bits. */
const triesOf = (name: string): number => (name.startsWith('a flipped bit') ? 20 * TRIES : TRIES);

describe('a copy of a repository of @atproto/repo', () => {
  test(`reaches each head of ${COMMITS} commits by events and by differences (seed 32)`, {
    timeout: 600_000,
  }, async () => {
    const random = seeded(32);
    const host = await ReferenceHost.create(DID, random);
    const { key } = host;
    await using byEvents = memoryRepo();
    await using byCars = memoryRepo();
    await byEvents.importCar(host.start, { key });
    await byCars.importCar(host.start, { key });
    const table = new Map<string, Record<string, number>>();

    const tryForgeries = async (event: CommitEvent, earlier: CommitEvent): Promise<void> => {
      const head = await byEvents.head();
      for (const [name, forge] of Object.entries(forgeries)) {
        for (let tries = triesOf(name) / (COMMITS / EVERY - 1); tries > 0; tries--) {
          const { outcome } = await byEvents.applyEvent(forge(event, random, earlier), { key });
          expect(['desynchronized', 'ignored', 'invalid'], `${name}, rev ${event.rev}`).toContain(outcome);
          expect(await byEvents.head(), name).toEqual(head);
          const row = table.get(name) ?? {};
          table.set(name, { ...row, [outcome]: (row[outcome] ?? 0) + 1 });
        }
      }
    };

    let earlier: CommitEvent | undefined;
    for (let i = 0; i < COMMITS; i++) {
      const { cid, event, difference } = await host.next();
      if (i % EVERY === 0 && earlier !== undefined) {
        await tryForgeries(event, earlier);
      }
      const { outcome, reason } = await byEvents.applyEvent(event, { key });
      expect([outcome, reason], `commit ${i}`).toEqual(['applied', undefined]);
      await byCars.importCar(difference, { key });
      for (const copy of [byEvents, byCars]) {
        expect(cidToText((await copy.head())!.cid)).toBe(cidToText(cid));
      }
      earlier = event;
    }
    expect((await byEvents.verify({ key })).faults).toEqual([]);
    expect(await readAll(byCars.exportCar())).toEqual(await readAll(byEvents.exportCar()));
    console.table(Object.fromEntries(table));
    for (const name of Object.keys(forgeries)) {
      const counts = Object.values(table.get(name) ?? {});
      expect(
        counts.reduce((sum, count) => sum + count, 0),
        name,
      ).toBeGreaterThanOrEqual(triesOf(name));
    }
  });
});
