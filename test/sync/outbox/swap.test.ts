/** Writes to the outbox that expect a record: what a user has not seen is not overwritten. */
import { beforeEach, expect, test } from 'vitest';
import type { CID } from '../../../src/core/data/cid.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { openOutbox } from '../../../src/sync.ts';
import type { Outbox } from '../../../src/sync.ts';
import { memoryCopy, NOTE, note, textsIn } from './copy.ts';

let repo: Repo;
let outbox: Outbox;
beforeEach(() => {
  repo = memoryCopy();
  outbox = openOutbox(repo);
});

const put = (rkey: string, text: string, swapRecord: CID | null | undefined): Promise<void> =>
  outbox.write([{ action: 'put', collection: NOTE, rkey, value: note(text), swapRecord }]);
const cidOf = async (rkey: string): Promise<CID> => (await outbox.get(NOTE, rkey))!.cid;
const swapError = expect.objectContaining({ code: 'InvalidSwap' });

test('a change of the host that the user has not seen is not overwritten', async () => {
  await repo.put(NOTE, 'a', note('A'));
  const seen = await cidOf('a');
  await repo.put(NOTE, 'a', note('of another device'));
  await expect(put('a', 'mine', seen)).rejects.toEqual(swapError);
  await expect(outbox.write([{ action: 'delete', collection: NOTE, rkey: 'a', swapRecord: seen }])).rejects.toEqual(
    swapError,
  );
  expect(await outbox.pending()).toEqual([]);
  await put('a', 'mine', await cidOf('a'));
  expect(await textsIn(outbox, NOTE)).toEqual(['a mine update']);
});

test('a pending change is the record that a later write replaces', async () => {
  await put('a', 'A', null);
  const first = await cidOf('a');
  await put('a', 'A2', first);
  await expect(put('a', 'A3', first)).rejects.toEqual(swapError);
  await expect(put('a', 'A3', null)).rejects.toEqual(swapError);
  await put('a', 'A3', await cidOf('a'));
  expect(await textsIn(outbox, NOTE)).toEqual(['a A3 create']);
});

test('a pending deletion leaves no record', async () => {
  await repo.put(NOTE, 'a', note('A'));
  const seen = await cidOf('a');
  await outbox.delete(NOTE, 'a');
  await expect(put('a', 'again', seen)).rejects.toEqual(swapError);
  await put('a', 'again', null);
  expect(await textsIn(outbox, NOTE)).toEqual(['a again update']);
});

test('one refused operation refuses all of them, and later ones see earlier ones', async () => {
  const first = { action: 'put', collection: NOTE, rkey: 'a', value: note('A'), swapRecord: null } as const;
  await expect(outbox.write([first, { ...first, value: note('B') }])).rejects.toEqual(swapError);
  expect(await outbox.pending()).toEqual([]);
  await expect(put('a', 'A', 'bafy' as never)).rejects.toThrow(TypeError);
});
