/** The verbs `backup`, `restore` and `repair`. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jsonLines, pdsdb } from './run-command.ts';

const DID = 'did:web:alice.example';
const CID = expect.stringMatching(/^baf[a-z2-7]{56}$/) as string;

let folder: string;
const at = (name: string): string => join(folder, name);
const json = async (...args: readonly string[]): Promise<unknown> => {
  const outcome = await pdsdb([...args, '--json']);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  return jsonLines(outcome.stdout)[0];
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pdsdb-cli-backup-'));
  await json('init', at('alice'), '--did', DID);
  await json('put', at('alice'), 'app.bsky.actor.profile/self', '{"displayName":"Alice"}');
  await json('put', at('alice'), 'app.bsky.actor.profile/self', '{"displayName":"Alice B."}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('backup and restore', async () => {
  const counts = { blobs: 0, blocks: 6, commits: 2, records: 1 };
  const about = {
    did: DID,
    head: CID,
    rev: expect.any(String) as string,
    counts,
    created: expect.stringMatching(/^20.*Z$/) as string,
  };
  expect(await json('backup', at('alice'), at('backup'))).toEqual({ ...about, files: 1, bytes: expect.any(Number) });
  expect(await pdsdb(['backup', at('alice'), at('backup')])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: .*already/),
  });
  await json('backup', at('alice'), at('backup'), '--force');
  expect(await json('restore', at('backup'), at('bob'))).toEqual(about);
  expect(await json('get', at('bob'), 'app.bsky.actor.profile/self')).toMatchObject({
    value: { displayName: 'Alice B.' },
  });
  expect(await pdsdb(['restore', at('backup'), at('bob')])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: .*already/),
  });
  await json('restore', at('backup'), at('bob'), '--force');
  expect((await pdsdb(['restore', at('backup'), at('carol')])).stdout).toMatch(/^did +did:web:alice.example$/m);
});

test('repair of a valid repository reports that', async () => {
  expect(await json('repair', at('alice'))).toEqual({
    whole: true,
    dryRun: false,
    head: CID,
    rev: expect.any(String),
    stepCount: 0,
    steps: [],
    lostCount: 0,
    lost: [],
  });
  expect(await pdsdb(['repair', at('alice')])).toEqual({
    code: 0,
    stdout: 'sound\tthere is nothing to repair\n',
    stderr: '',
  });
});

test('repair salvages a database that does not open, and a dry run changes nothing', async () => {
  await json('restore', at('backup'), at('broken'));
  const database = join(at('broken'), 'pds.db');
  const bytes = readFileSync(database).fill(0, 0, 4096);
  writeFileSync(database, bytes);
  const planned = await json('repair', at('broken'), '--dry-run');
  expect(planned).toMatchObject({ whole: null, dryRun: true, salvage: { did: DID, blocks: 6, commits: 2 } });
  expect(readFileSync(database)).toEqual(bytes);
  const { code, stdout } = await pdsdb(['repair', at('broken')]);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^salvage\t.*kept as pds\.db\.damaged-/)]);
  expect(readdirSync(at('broken')).some((name) => name.startsWith('pds.db.damaged-'))).toBe(true);
  expect(await json('verify', at('broken'))).toMatchObject({ ok: true });
});

test('losses give exit code 1 and the requests that restore them', async () => {
  await json('restore', at('backup'), at('holed'));
  const { stdout } = await pdsdb(['blob', 'add', at('holed'), join(at('holed'), 'pds.db'), '--json']);
  const ref = JSON.parse(stdout) as { ref: { $link: string } };
  await json('put', at('holed'), 'app.bsky.actor.profile/self', JSON.stringify({ avatar: ref }));
  const cid = ref.ref.$link;
  writeFileSync(join(at('holed'), 'blobs', 'ba', cid), 'something else');
  const outcome = await pdsdb(['repair', at('holed')]);
  expect(outcome).toMatchObject({
    code: 1,
    stderr: 'error: 1 loss remains. Import a CAR of the account to restore it.\n',
  });
  expect(outcome.stdout).toContain(`/xrpc/com.atproto.sync.getBlob?did=${encodeURIComponent(DID)}&cid=${cid}`);
});
