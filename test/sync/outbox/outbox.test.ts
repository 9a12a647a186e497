/** Writes, reads, discards and resolutions of the outbox, without a host. */
import { beforeEach, describe, expect, test } from 'vitest';
import { openOutbox } from '../../../src/sync.ts';
import type { ConflictPolicy, Outbox, OutboxChange } from '../../../src/sync.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { absorb } from '../../../src/sync/outbox/absorb.ts';
import { PendingStore } from '../../../src/sync/outbox/pending-store.ts';
import { memoryCopy, NOTE, note, statesIn, textsIn } from './copy.ts';

let repo: Repo;
let outbox: Outbox;
beforeEach(async () => {
  repo = memoryCopy();
  await repo.put(NOTE, 'b', note('B'));
  await repo.put(NOTE, 'd', note('D'));
  outbox = openOutbox(repo);
});
const pulled = (policies?: Parameters<typeof absorb>[1]): Promise<unknown> => absorb(new PendingStore(repo), policies);

describe('reads', () => {
  test('show pending values, and the repository does not have them', async () => {
    await outbox.put(NOTE, 'a', note('A'));
    await outbox.put(NOTE, 'b', note('B2'));
    await outbox.delete(NOTE, 'd');
    expect(await textsIn(outbox, NOTE)).toEqual(['a A create', 'b B2 update', 'd D delete']);
    expect(await outbox.get(NOTE, 'a')).toMatchObject({ value: note('A'), pending: 'create' });
    expect(await outbox.get(NOTE, 'd')).toMatchObject({ value: note('D'), pending: 'delete' });
    expect(await outbox.get(NOTE, 'none')).toBeUndefined();
    expect(await repo.get(NOTE, 'a')).toBeUndefined();
    expect((await repo.get(NOTE, 'b'))!.value).toEqual(note('B'));
    expect((await repo.verify()).faults).toEqual([]);
  });

  test('list like the repository does, with every option', async () => {
    for (const rkey of ['a', 'c', 'e', 'f']) {
      await outbox.put(NOTE, rkey, note(rkey));
    }
    await repo.put('com.example.other', 'x', { text: 'other' });
    await outbox.put('com.example.notes', 'y', { text: 'another collection' });
    const keys = async (...list: Parameters<Outbox['list']>): Promise<string> =>
      (await textsIn(outbox, ...list)).map((text) => text[0]).join('');
    expect(await keys(NOTE)).toBe('abcdef');
    expect(await keys(NOTE, { reverse: true })).toBe('fedcba');
    expect(await keys(NOTE, { limit: 3 })).toBe('abc');
    expect(await keys(NOTE, { cursor: 'c' })).toBe('def');
    expect(await keys(NOTE, { cursor: 'c', reverse: true, limit: 1 })).toBe('b');
    expect(await keys(NOTE, { limit: 0 })).toBe('');
    expect(await keys()).toBe('abcdefyx');
    expect(await keys({ cursor: `${NOTE}/e`, limit: 2 })).toBe('fy');
    expect(await keys({ reverse: true, limit: 2 })).toBe('xy');
  });
});

describe('writes', () => {
  test('to the value of the host discards the change', async () => {
    await outbox.put(NOTE, 'b', note('B2'));
    await outbox.put(NOTE, 'b', note('B'));
    await outbox.put(NOTE, 'new', note('N'));
    await outbox.delete(NOTE, 'new');
    await outbox.put(NOTE, 'd', note('D'));
    await outbox.delete(NOTE, 'none');
    expect(await outbox.pending()).toEqual([]);
    expect(await textsIn(outbox)).toEqual(['b B', 'd D']);
  });

  test('are durable together, or not at all', async () => {
    const changes: OutboxChange[] = [];
    const stop = outbox.onChange((change) => changes.push(change));
    await outbox.write([
      { action: 'put', collection: NOTE, rkey: 'a', value: note('A') },
      { action: 'put', collection: NOTE, rkey: 'a', value: note('A2') },
      { action: 'delete', collection: NOTE, rkey: 'b' },
    ]);
    stop();
    const wrong = outbox.write([
      { action: 'put', collection: NOTE, rkey: 'c', value: note('C') },
      { action: 'put', collection: NOTE, rkey: 'e', value: { text: 1.5 } },
    ]);
    await expect(wrong).rejects.toMatchObject({ code: 'InvalidRecord' });
    expect(await textsIn(outbox)).toEqual(['a A2 create', 'b B delete', 'd D']);
    expect(changes).toEqual([
      { path: `${NOTE}/a`, state: 'queued' },
      { path: `${NOTE}/b`, state: 'queued' },
    ]);
  });

  test('of many callers at once are all kept', async () => {
    const second = openOutbox(repo);
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? outbox : second).put(NOTE, `k${i % 20}`, note(`${i}`))),
    );
    expect(await outbox.pending()).toHaveLength(20);
    expect(await second.pending()).toEqual(await outbox.pending());
  });

  test('start from what the host has now, also long after the branch began', async () => {
    await outbox.put(NOTE, 'a', note('A'));
    await repo.put(NOTE, 'b', note('B2'));
    await outbox.put(NOTE, 'b', note('B'));
    expect(await statesIn(outbox)).toEqual(['a create queued', 'b update queued']);
    await pulled();
    expect(await statesIn(outbox)).toEqual(['a create queued', 'b update queued']);
    expect(await textsIn(outbox)).toEqual(['a A create', 'b B update', 'd D']);
  });

  test('work before the first commit of the account', async () => {
    const empty = openOutbox(memoryCopy());
    await empty.put(NOTE, 'a', note('A'));
    expect(await textsIn(empty)).toEqual(['a A create']);
    expect(await empty.discard(`${NOTE}/a`)).toBe(true);
    expect(await textsIn(empty)).toEqual([]);
  });
});

describe('a pull', () => {
  test('drops what both sides have, and reports what contradicts', async () => {
    await outbox.put(NOTE, 'a', note('A'));
    await outbox.put(NOTE, 'b', note('B2'));
    await outbox.delete(NOTE, 'd');
    await repo.put(NOTE, 'a', note('A'));
    await repo.put(NOTE, 'b', note('B3'));
    await repo.delete(NOTE, 'd');
    expect(await pulled()).toEqual({ landed: [`${NOTE}/a`, `${NOTE}/d`] });
    const [conflict, ...others] = await outbox.pending();
    expect(others).toEqual([]);
    expect(conflict).toMatchObject({ rkey: 'b', state: 'conflict', action: 'update' });
    expect((await outbox.get(NOTE, 'b'))!.cid).toEqual(conflict!.ours);
    expect((await repo.get(NOTE, 'b'))!.cid).toEqual(conflict!.theirs);
    expect(await textsIn(outbox)).toEqual(['a A', 'b B2 update']);
  });

  test('never restores what the other side deleted, unless that is resolved', async () => {
    await outbox.put(NOTE, 'b', note('B2'));
    await repo.delete(NOTE, 'b');
    await pulled({ [NOTE]: 'ours' });
    expect(await statesIn(outbox)).toEqual(['b update conflict']);
    await outbox.resolve(`${NOTE}/b`, 'ours');
    expect(await statesIn(outbox)).toEqual(['b create queued']);
  });

  test.each<[ConflictPolicy, string | undefined, string]>([
    ['keep', 'conflict', 'B2'],
    ['ours', 'queued', 'B2'],
    ['theirs', undefined, 'B3'],
    [() => 'theirs' as const, undefined, 'B3'],
    [() => null, 'queued', 'B3'],
    [
      (...values: unknown[]) =>
        note(
          values
            .slice(0, 3)
            .map((value) => (value as { text: string }).text)
            .join('+'),
        ),
      'queued',
      'B+B3+B2',
    ],
  ])('decides a conflict by the policy %s', async (policy, state, text) => {
    await outbox.put(NOTE, 'b', note('B2'));
    await repo.put(NOTE, 'b', note('B3'));
    await pulled({ [NOTE]: policy });
    expect((await outbox.pending())[0]?.state).toBe(state);
    expect((await outbox.get(NOTE, 'b'))!.value).toEqual(note(text));
    const [entry] = await outbox.pending();
    if (state === 'queued') {
      expect(entry!.base).toEqual(entry!.theirs);
    }
  });
});

describe('resolve', () => {
  beforeEach(async () => {
    await outbox.put(NOTE, 'b', note('B2'));
    await repo.put(NOTE, 'b', note('B3'));
    await pulled();
  });

  test.each([
    ['ours', ['b update queued'], 'B2'],
    ['theirs', [], 'B3'],
    [note('both'), ['b update queued'], 'both'],
    [note('B3'), [], 'B3'],
    [null, ['b delete queued'], 'B3'],
  ] as const)('%j', async (choice, states, text) => {
    await outbox.resolve(`${NOTE}/b`, choice);
    expect(await statesIn(outbox)).toEqual(states);
    expect((await outbox.get(NOTE, 'b'))!.value).toEqual(note(text));
    await pulled();
    expect(await statesIn(outbox)).toEqual(states);
  });

  test('needs a conflict', async () => {
    await expect(outbox.resolve(`${NOTE}/d`, 'ours')).rejects.toMatchObject({ code: 'RecordNotFound' });
  });

  test('a write changes our side only, and a discard drops it', async () => {
    await outbox.put(NOTE, 'b', note('B4'));
    expect(await statesIn(outbox)).toEqual(['b update conflict']);
    expect(await outbox.discard(`${NOTE}/b`)).toBe(true);
    expect(await outbox.discard(`${NOTE}/b`)).toBe(false);
    expect(await textsIn(outbox)).toEqual(['b B3', 'd D']);
  });
});

test('gc keeps pending records and the blobs that they mention', async () => {
  const file = await repo.putBlob(new TextEncoder().encode('picture'), { mimeType: 'image/png' });
  await outbox.put(NOTE, 'a', { ...note('A'), file });
  const other = await repo.putBlob(new TextEncoder().encode('unused'));
  await repo.gc({ keep: 1, blobs: true, blobAge: 0 });
  expect(await repo.getBlob(file.ref)).toBeDefined();
  expect(await repo.getBlob(other.ref)).toBeUndefined();
  expect((await outbox.get(NOTE, 'a'))!.value).toMatchObject(note('A'));
});

test('a closed outbox rejects calls, and the repository stays open', async () => {
  await outbox.close();
  await expect(outbox.put(NOTE, 'a', note('A'))).rejects.toMatchObject({ code: 'Closed' });
  expect(await repo.get(NOTE, 'b')).toBeDefined();
});
