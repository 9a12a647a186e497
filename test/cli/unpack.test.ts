/** The verbs `unpack` and `pack`. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pdsdb } from './run-command.ts';
import { createSampleAccount, DID, exists, json, POST } from './sample-account.ts';

let folder: string;
let remove: () => Promise<void>;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
  await json(['unpack', at('alice'), at('files')]);
});
afterAll(() => remove());

test('a repository and its CAR unpack to the same files, and pack to the same CAR', async () => {
  await json(['export', at('alice'), '-o', at('alice.car')]);
  const [unpacked] = await json(['unpack', at('alice.car'), at('from-car'), '--blobs']);
  expect(unpacked).toMatchObject({ did: DID, records: 4, opaque: 0, blobs: 0, folder: at('from-car') });
  expect(readdirSync(at('from-car')).sort()).toEqual(['_commit.json', 'app.bsky.actor.profile', POST]);
  const [packed] = await json(['pack', at('from-car'), at('packed.car')]);
  expect(packed).toMatchObject({ did: DID, records: 4, edited: false, signed: true, file: at('packed.car') });
  expect(readFileSync(at('packed.car'))).toEqual(readFileSync(at('alice.car')));
  expect(readFileSync(join(at('from-car'), POST, '3l3qo2vutsw2a.json'))).toEqual(
    readFileSync(join(at('files'), POST, '3l3qo2vutsw2a.json')),
  );
});

test('edited records need a key', async () => {
  writeFileSync(join(at('files'), POST, '3l3qo2vutsw2a.json'), `{"$type":"${POST}","text":"changed"}`);
  const refused = await pdsdb(['pack', at('files'), at('edited.car')]);
  expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: .*give --key <file>/) });
  expect(await exists(at('edited.car'))).toBe(false);
  expect(await json(['pack', at('files'), at('edited.car'), '--key', at('key')])).toMatchObject([{ edited: true }]);
  expect(await json(['import', at('alice'), at('edited.car'), '--key', at('key')])).toMatchObject([{ updated: 1 }]);
  const unsigned = await pdsdb(['pack', at('files'), at('edited.car'), '--allow-unsigned', '--force']);
  expect(unsigned).toMatchObject({ code: 0, stdout: expect.stringMatching(/^commit +new, unsigned$/m) });
});

test('an existing folder and an existing file stay', async () => {
  mkdirSync(at('full'));
  writeFileSync(join(at('full'), 'mine'), '');
  const refused = await pdsdb(['unpack', at('alice'), at('full')]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(at('full')) });
  expect(readdirSync(at('full'))).toEqual(['mine']);
  writeFileSync(at('mine.car'), 'mine');
  expect(await pdsdb(['pack', at('files'), at('mine.car'), '--key', at('key')])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('--force'),
  });
  expect(readFileSync(at('mine.car'), 'utf8')).toBe('mine');
});

test('errors name the fault', async () => {
  expect((await pdsdb(['unpack', at('alice'), at('x'), '--at', 'nothing'])).stderr).toContain('name=nothing');
  expect((await pdsdb(['pack', at('missing'), at('x.car')])).stderr).toContain(at('missing'));
  expect((await pdsdb(['unpack', at('alice'), ''])).stderr).toContain('is empty');
  writeFileSync(join(at('files'), POST, 'broken.json'), '{');
  expect((await pdsdb(['pack', at('files'), at('x.car')])).stderr).toContain('broken.json');
});
