/** Files and blobs without `fsync`, as under `node --permission`. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openNodeFiles } from '../../src/adapters/files/node-files.ts';
import { toStorageError } from '../../src/core/storage/storage-error.ts';
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { databaseFilesCases } from '../../src/testing/files/database-files-cases.ts';
import { runCases } from '../run-cases.ts';
import { makeBlobsHarness, makeFilesHarness } from './node-harness.ts';
import { scratchFolder } from './scratch.ts';

const root = scratchFolder('node-permission');
const DISABLED = ['fsync', 'fsyncSync', 'fdatasync', 'fdatasyncSync'] as const;
const denied = (): Error => Object.assign(new Error('fsync API is disabled'), { code: 'ERR_ACCESS_DENIED' });

const undo: (() => void)[] = [];
const replace = (target: object, name: string, value: unknown): void => {
  const original = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
  undo.push(() =>
    original === undefined ? Reflect.deleteProperty(target, name) : Object.defineProperty(target, name, original),
  );
};

/** The flags of the last `openSync` of each path. */
const flagsOf = new Map<string, number>();

beforeAll(async () => {
  replace(process, 'permission', { has: () => true });
  const handle = await fs.promises.open(root);
  const prototype = Object.getPrototypeOf(handle) as object;
  await handle.close();
  for (const [target, names] of [
    [fs, DISABLED],
    [prototype, ['sync', 'datasync']],
  ] as const) {
    for (const name of names) {
      replace(target, name, () => {
        throw denied();
      });
    }
  }
  const { openSync } = fs;
  replace(fs, 'openSync', (path: string, flags: number, mode: number) => {
    flagsOf.set(path, flags);
    return openSync(path, flags, mode);
  });
  syncBuiltinESMExports();
});

afterAll(() => {
  undo.reverse().forEach((run) => run());
  syncBuiltinESMExports();
});

describe('the cases for database files', () => runCases(databaseFilesCases, () => makeFilesHarness(root)));
describe('the cases for blobs', () => runCases(blobStoreCases, () => makeBlobsHarness(root)));

test('the system syncs each write, and an emptied WAL has no header', async () => {
  const folder = join(root, 'emptied');
  const { ftruncateSync } = fs;
  const files = await openNodeFiles(folder, { create: true });
  files.wal.write(new Uint8Array(2048).fill(1), { at: 0 });
  files.wal.flush();
  expect(flagsOf.get(join(folder, 'pds.db-wal'))! & fs.constants.O_SYNC).toBe(fs.constants.O_SYNC);
  // As if a power cut lost the truncation.
  fs.ftruncateSync = () => {};
  syncBuiltinESMExports();
  files.wal.truncate(0);
  fs.ftruncateSync = ftruncateSync;
  syncBuiltinESMExports();
  const left = fs.readFileSync(join(folder, 'pds.db-wal'));
  expect(left.subarray(0, 512)).toEqual(Buffer.alloc(512));
  await files.close();
});

test('an error for a path that is not permitted names the flags', () => {
  expect(toStorageError(denied(), 'opening alice')).toMatchObject({
    code: 'StorageFailed',
    message:
      'opening alice is not permitted; run node --permission with --allow-fs-read=<folder> --allow-fs-write=<folder>',
  });
});
