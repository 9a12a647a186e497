/** The verbs that only read: they take no lock, and `--wait` waits for an owner. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRepo, openRepo } from '../../src/node.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { pdsdb } from './run-command.ts';

const scratch = scratchFolder('cli-read-only');
const DID = 'did:web:alice.example.com';
const POST = 'com.example.post';

const makeRepo = async (name: string): Promise<string> => {
  const folder = join(scratch, name);
  await using repo = await createRepo(folder, { did: DID });
  await repo.put(POST, 'a', { text: 'hello' });
  await repo.putBlob(new Uint8Array(10));
  await repo.branch('draft').put(POST, 'b', { text: 'draft' });
  return folder;
};

/** All verbs that only read. */
const reading = (folder: string): string[][] => [
  ['info', folder],
  ['ls', folder],
  ['get', folder, `${POST}/a`],
  ['log', folder],
  ['diff', folder, 'main', 'draft'],
  ['verify', folder],
  ['export', folder, '-o', join(scratch, 'a.car'), '--force'],
  ['backup', folder, join(scratch, 'backup'), '--force'],
  ['refs', 'ls', folder],
  ['branch', 'ls', folder],
  ['branch', 'diff', folder, 'draft'],
  ['blob', 'ls', folder],
  ['blob', 'missing', folder],
];

test('change nothing in the folder, also not the WAL of a crash', async () => {
  const folder = await makeRepo('quiet');
  const copy = join(scratch, 'killed');
  {
    await using repo = await openRepo(folder);
    await repo.put(POST, 'c', { text: 'in the log' });
    fs.cpSync(folder, copy, { recursive: true });
  }
  const state = (): unknown[] =>
    fs.readdirSync(copy).map((name) => [name, fs.statSync(join(copy, name), { bigint: true }).mtimeNs]);
  const before = state();
  expect(before.map(String).join()).toContain('pds.db-wal');
  const { mtimeNs } = fs.statSync(copy, { bigint: true });
  for (const args of reading(copy)) {
    expect(await pdsdb(args), args.join(' ')).toMatchObject({ code: 0 });
    expect(state(), args.join(' ')).toEqual(before);
  }
  expect(fs.statSync(copy, { bigint: true }).mtimeNs).toBe(mtimeNs);
  expect((await pdsdb(['get', copy, `${POST}/c`])).stdout).toContain('in the log');
});

test('read while another reader has the repository open', async () => {
  const folder = await makeRepo('shared');
  await using _reader = await openRepo(folder, { readOnly: true });
  for (const args of reading(folder)) {
    expect(await pdsdb(args), args.join(' ')).toMatchObject({ code: 0 });
  }
});

test('reject with Locked while an owner writes, or wait for it', async () => {
  const folder = await makeRepo('owned');
  const owner = await openRepo(folder);
  for (const args of reading(folder)) {
    const { code, stdout } = await pdsdb([...args, '--json']);
    expect({ code, error: JSON.parse(stdout) as unknown }, args.join(' ')).toMatchObject({
      code: 1,
      error: { error: 'Locked' },
    });
  }
  setTimeout(() => void owner.close(), 100);
  expect(await pdsdb(['ls', folder, POST, '--wait', '30000'])).toMatchObject({ code: 0 });
});

test('--wait also works for verbs that write, and accepts an integer', async () => {
  const folder = await makeRepo('written');
  const owner = await openRepo(folder);
  const put = ['put', folder, `${POST}/d`, '{"text":"late"}'];
  expect(await pdsdb(put)).toMatchObject({ code: 1 });
  setTimeout(() => void owner.close(), 100);
  expect(await pdsdb([...put, '--wait', '30000'])).toMatchObject({ code: 0 });
  expect(await pdsdb(['ls', folder, '--wait', 'long'])).toMatchObject({ code: 1 });
});
