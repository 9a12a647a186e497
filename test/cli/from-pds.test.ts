/** `import --from-pds` of files that are not of a PDS. test/network imports from a real one. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pdsdb } from './run-command.ts';
import { createSampleAccount } from './sample-account.ts';

let folder: string;
let remove: () => Promise<void>;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
  writeFileSync(at('text'), 'not a database');
  writeFileSync(at('empty'), '');
});
afterAll(() => remove());

test.each([
  ['a repository of pdsdb', 'alice/pds.db', 'Malformed'],
  ['another file', 'text', 'Malformed'],
  ['an empty file', 'empty', 'Malformed'],
  ['a missing file', 'missing', 'RepoNotFound'],
  ['a folder without store.sqlite', 'alice', 'RepoNotFound'],
])('%s is refused, and no repository is left', async (_, source, code) => {
  const { code: exit, stdout } = await pdsdb(['import', at('new'), '--from-pds', at(source), '--json']);
  expect([exit, JSON.parse(stdout)]).toMatchObject([1, { error: code }]);
  expect(readdirSync(folder)).not.toContain('new');
});

test.each([
  [['import', 'x', 'a.car', '--from-pds', 'store'], 'not both'],
  [['import', 'x'], '--from-pds'],
  [['import', 'x', 'a.car', '--blobs', 'blobs'], '--blobs'],
  [['import', 'x', '--ndjson', '--from-pds', 'store'], '--ndjson'],
  [['import', 'x', '--from-pds', ''], 'is empty'],
])('%j is refused', async (args, message) => {
  expect(await pdsdb(args)).toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
});
