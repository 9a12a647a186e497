/** Verbs about older commits: `get --at`, `restore-record`, `log` of one record, and imports that go back. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from 'node:path';
import { pdsdb } from './run-command.ts';
import { POST, createSampleAccount, json } from './sample-account.ts';

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

test('log of one record lists the commits that changed it', async () => {
  await json(['rm', at('alice'), `${POST}/3l3qo2vutsw2a`, '--key', at('key')]);
  const log = (await json(['log', at('alice'), `${POST}/3l3qo2vutsw2a`])) as { readonly record: string | null }[];
  expect(log.map(({ record }) => typeof record)).toEqual(['object', 'string']);
  expect(log[0]).toMatchObject({ record: null });
  expect(await json(['log', at('alice'), '--limit', '2'])).toHaveLength(2);
  const [first] = (await json(['log', at('alice'), '--at', before])) as [{ readonly rev: string }];
  expect(first.rev).toBe(before);
  expect((await pdsdb(['log', at('alice'), `${POST}/3l3qo2vutsw2a`])).stdout).toMatch(/\tsigned\tdeleted\t/);
});

test('import --dry-run changes nothing, and --rollback goes back to an older commit', async () => {
  await json(['export', at('alice'), '-o', at('old.car')]);
  await json(['import', at('copy'), at('old.car')]);
  await json(['put', at('alice'), `${POST}/3l3qo2vutsw2d`, '{"text":"new"}', '--key', at('key')]);
  await json(['export', at('alice'), '-o', at('new.car')]);
  const info = await json(['info', at('copy')]);
  expect(await json(['import', at('copy'), at('new.car'), '--dry-run'])).toMatchObject([{ created: 1, deleted: 0 }]);
  expect(await json(['info', at('copy')])).toEqual(info);
  await json(['import', at('copy'), at('new.car')]);
  const refused = await pdsdb(['import', at('copy'), at('old.car'), '--json']);
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: 'OutdatedRev' });
  const [back] = (await json(['import', at('copy'), at('old.car'), '--rollback'])) as [{ readonly replaced: string }];
  expect(back).toMatchObject({ created: 0, deleted: 1, replaced: expect.stringMatching(/^local-/) as string });
  expect(await json(['diff', at('copy'), back.replaced])).toHaveLength(1);
  const none = await pdsdb(['import', at('none'), at('old.car'), '--dry-run']);
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('pdsdb verify') as string });
});
