/** `get --at` and `restore-record`. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from 'node:path';
import { pdsdb } from './run-command.ts';
import { createSampleAccount, json } from './sample-account.ts';

const PROFILE = 'app.bsky.actor.profile/self';
let folder: string;
let remove: () => Promise<void>;
let before: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
  [{ rev: before }] = (await json(['log', at('alice'), '--limit', '1'])) as [{ readonly rev: string }];
  await json(['put', at('alice'), PROFILE, '{"displayName":"Alice B."}', '--key', at('key')]);
});
afterAll(() => remove());

test('get --at prints the record of an older commit', async () => {
  expect(await json(['get', at('alice'), PROFILE, '--at', before])).toMatchObject([
    { value: { displayName: 'Alice' } },
  ]);
  expect(await json(['get', at('alice'), PROFILE])).toMatchObject([{ value: { displayName: 'Alice B.' } }]);
  const missing = await pdsdb(['get', at('alice'), PROFILE, '--at', 'nothing', '--json']);
  expect(JSON.parse(missing.stdout)).toMatchObject({ error: 'RefNotFound' });
});

test('restore-record writes it again', async () => {
  const [old] = (await json(['get', at('alice'), PROFILE, '--at', before])) as { readonly cid: string }[];
  const args = ['restore-record', at('alice'), PROFILE, before];
  expect((await pdsdb(args)).stderr).toContain('--key');
  expect(await json([...args, '--key', at('key')])).toMatchObject([{ cid: old!.cid }]);
  expect(await json(['get', at('alice'), PROFILE])).toMatchObject([{ cid: old!.cid, value: { displayName: 'Alice' } }]);
  const absent = await pdsdb([
    'restore-record',
    at('alice'),
    'app.bsky.feed.post/none',
    before,
    '--key',
    at('key'),
    '--json',
  ]);
  expect(JSON.parse(absent.stdout)).toMatchObject({ error: 'RecordNotFound' });
});
