/** The verb `stats`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Statistics } from '../../src/cli/repo/statistics.ts';
import { tidOf } from '../../src/index.ts';
import { createRepo } from '../../src/node.ts';
import { DID, KEY, POST, post } from '../../src/testing/repo/harness.ts';
import { badCar } from '../adapters/folders/odd-records.ts';
import { pdsdb } from './run-command.ts';
import { json } from './sample-account.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const keyAt = (date: string, n: number): string => tidOf(Date.parse(date) * 1000 + n, 0);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'pdsdb-stats-'));
  const repo = await createRepo(at('alice'), { did: DID, signer: KEY });
  const [used, unused] = [await repo.putBlob(new Uint8Array(30)), await repo.putBlob(new Uint8Array(7))];
  const rkeys = [keyAt('2024-01-05', 0), keyAt('2024-01-06', 0), keyAt('2024-03-01', 0), '2222222222222'];
  await repo.write([
    ...rkeys.map((rkey, n) => ({ action: 'create', collection: POST, rkey, value: post('x'.repeat(n)) }) as const),
    {
      action: 'create',
      collection: 'com.example.profile',
      rkey: 'self',
      value: { avatar: used, text: 'y'.repeat(500) },
    },
  ]);
  await repo.close();
  writeFileSync(at('unused'), unused.ref.toString());
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('counts records, bytes, months and blobs', async () => {
  const [found] = (await json(['stats', at('alice')])) as Statistics[];
  expect(found).toMatchObject({
    did: DID,
    records: 5,
    collections: [
      { collection: POST, records: 4, first: '2222222222222', last: keyAt('2024-03-01', 0) },
      { collection: 'com.example.profile', records: 1, first: 'self', last: 'self' },
    ],
    months: [
      { month: '2024-01', records: 2 },
      { month: '2024-02', records: 0 },
      { month: '2024-03', records: 1 },
    ],
    blobs: { stored: 2, bytes: 37, missing: 0 },
    orphanedBlobs: [{ bytes: 7 }],
  });
  expect(found!.bytes).toBe(found!.collections.reduce((sum, { bytes }) => sum + bytes, 0));
  expect(found!.largestRecords[0]).toMatchObject({ path: 'com.example.profile/self' });
  expect(found!.largestBlobs.map(({ bytes }) => bytes)).toEqual([30, 7]);
});

test('draws bars on a terminal only', async () => {
  const terminal = await pdsdb(['stats', at('alice')], { isTTY: true });
  expect(terminal.stdout).toMatch(/^ {2}2024-01 {2}2 {2}█{40}$/m);
  expect(terminal.stdout).toMatch(/^ {2}2024-02 {2}0$/m);
  expect(terminal.stdout).toMatch(/^ {2}2024-03 {2}1 {2}█{20}$/m);
  expect((await pdsdb(['stats', at('alice')])).stdout).not.toContain('█');
});

test('--top limits the lists, and a CAR with records outside the data model is counted', async () => {
  const [found] = (await json(['stats', at('alice'), '--top', '1'])) as Statistics[];
  expect([found!.largestRecords.length, found!.largestBlobs.length]).toEqual([1, 1]);
  writeFileSync(at('bad.car'), await badCar(DID, KEY));
  expect(await json(['stats', at('bad.car')])).toMatchObject([{ records: 8, months: [], blobs: { stored: 0 } }]);
});
