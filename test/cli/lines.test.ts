/** Local changes that an import keeps beside the head, and the verbs for them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRepo } from '../../src/node.ts';
import { jsonLines, pdsdb } from './run-command.ts';

const DID = 'did:web:alice.example';
const POST = 'app.bsky.feed.post';

let folder: string;
const at = (name: string): string => join(folder, name);
const json = async (...args: readonly string[]): Promise<unknown[]> => {
  const outcome = await pdsdb([...args, '--json']);
  expect(outcome).toMatchObject({ code: 0 });
  return jsonLines(outcome.stdout);
};
const key = (name: string): readonly string[] => ['--key', at(`${name}.key`)];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pdsdb-cli-lines-'));
  await json('key', 'generate', '-o', at('one.key'));
  await json('key', 'generate', '-o', at('two.key'));
  await json('init', at('host'), '--did', DID, ...key('one'));
  await json('export', at('host'), '-o', at('first.car'));
  await json('import', at('alice'), at('first.car'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('import prints the kept changes and how to see them, also with --json', async () => {
  await json('put', at('alice'), `${POST}/mine`, '{"text":"mine"}', ...key('one'));
  await json('put', at('host'), `${POST}/theirs`, '{"text":"theirs"}', ...key('one'));
  await json('export', at('host'), '-o', at('second.car'));
  const { stdout } = await pdsdb(['import', at('alice'), at('second.car')]);
  expect(stdout).toMatch(/kept +1 local changes as local-[2-7a-z]{13}: see pdsdb diff <repo> main local-/);
  await json('put', at('alice'), `${POST}/more`, '{"text":"more"}', ...key('one'));
  await json('put', at('host'), `${POST}/theirs`, '{"text":"again"}', ...key('one'));
  await json('export', at('host'), '-o', at('third.car'));
  const [result] = await json('import', at('alice'), at('third.car'));
  expect(result).toMatchObject({
    kept: { ref: expect.stringMatching(/^local-/) as string, paths: [{ path: `${POST}/more`, state: 'absent' }] },
  });
});

test('a key that did not sign the head is refused, with advice', async () => {
  const refused = await pdsdb(['put', at('alice'), `${POST}/x`, '{"text":"x"}', ...key('two')]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('allowOtherKey') as string });
  await json('put', at('alice'), `${POST}/x`, '{"text":"x"}', ...key('two'), '--allow-other-key');
});

test('reset makes an older commit the head and prints the ref of the old head', async () => {
  const [, older] = (await json('log', at('alice'))) as { rev: string; cid: string }[];
  const [result] = (await json('reset', at('alice'), older!.rev)) as { cid: string; ref: string }[];
  expect(result!.cid).toBe(older!.cid);
  expect(await json('refs', 'ls', at('alice'))).toContainEqual({
    name: result!.ref,
    cid: expect.any(String) as string,
  });
  expect(await pdsdb(['reset', at('alice'), 'nothing'])).toMatchObject({ code: 1 });
});

test('branch lists, compares and discards', async () => {
  const repo = await openRepo(at('alice'));
  await repo.branch('draft').put(POST, 'draft', { text: 'draft' });
  await repo.close();
  expect(await json('branch', 'ls', at('alice'))).toMatchObject([{ name: 'draft' }]);
  expect(await json('branch', 'diff', at('alice'), 'draft')).toMatchObject([
    { action: 'create', path: `${POST}/draft` },
  ]);
  expect(await json('branch', 'discard', at('alice'), 'draft')).toEqual([{ name: 'draft' }]);
  expect(await pdsdb(['branch', 'diff', at('alice'), 'draft'])).toMatchObject({ code: 1 });
  expect(await json('branch', 'ls', at('alice'))).toEqual([]);
});

test('recommit signs again, without a warning if no rev is ahead', async () => {
  await json('reset', at('alice'), ((await json('log', at('alice'))) as { rev: string }[])[0]!.rev);
  const outcome = await pdsdb(['recommit', at('alice'), ...key('one'), '--allow-other-key', '--json']);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  expect(jsonLines(outcome.stdout)[0]).toMatchObject({ rev: expect.any(String) as string });
});
