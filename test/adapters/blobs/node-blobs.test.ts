import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { openNodeBlobs } from '../../../src/adapters/blobs/node-blobs.ts';
import { cidToText, parseCid } from '../../../src/core/data/cid.ts';
import { blobStoreCases } from '../../../src/testing/storage/blob-store-cases.ts';
import { runCases } from '../../run-cases.ts';
import { makeBlobsHarness, SOME_CID } from '../node-harness.ts';
import { scratchFolder } from '../scratch.ts';

const root = scratchFolder('node-blobs');

describe('the cases for blob stores', () => runCases(blobStoreCases, () => makeBlobsHarness(root)));

let folder: string;
const at = (name: string): string => join(folder, name);
const code = (value: string): object => expect.objectContaining({ name: 'RepoError', code: value });

beforeEach(() => {
  folder = fs.mkdtempSync(join(root, 'case-'));
});

test('a blob is stored in blobs/ba under its CID', async () => {
  const store = await openNodeBlobs(folder);
  const { cid } = await store.put(new TextEncoder().encode('hello'));
  expect(fs.readFileSync(at(`blobs/ba/${cidToText(cid)}`), 'utf8')).toBe('hello');
  await store.close();
});

test('a missing folder is RepoNotFound', async () => {
  await expect(openNodeBlobs(at('nowhere'))).rejects.toEqual(code('RepoNotFound'));
});

test('a symbolic link instead of a folder is refused', async () => {
  fs.mkdirSync(at('elsewhere'));
  fs.symlinkSync('elsewhere', at('blobs'));
  await expect(openNodeBlobs(folder)).rejects.toEqual(code('StorageFailed'));
  fs.rmSync(at('blobs'));
  const store = await openNodeBlobs(folder);
  fs.symlinkSync('../elsewhere', at('blobs/ba'));
  await expect(store.put(new Uint8Array(1))).rejects.toEqual(code('StorageFailed'));
  expect(fs.readdirSync(at('elsewhere'))).toEqual([]);
  expect(fs.readdirSync(at('blobs'))).toEqual(['ba']);
  await store.close();
  await expect(openNodeBlobs(folder)).rejects.toEqual(code('StorageFailed'));
});

test('a symbolic link instead of the blobs folder is not followed', async () => {
  const store = await openNodeBlobs(folder);
  const { cid } = await store.put(new TextEncoder().encode('hello'));
  fs.renameSync(at('blobs/ba'), at('elsewhere'));
  fs.symlinkSync('../elsewhere', at('blobs/ba'));
  await expect(store.get(cid)).rejects.toEqual(code('StorageFailed'));
  await store.close();
});

test('an irregular file is not read, and storing the blob replaces it', async () => {
  const store = await openNodeBlobs(folder);
  const { cid } = await store.put(new TextEncoder().encode('hello'));
  const path = at(`blobs/ba/${cidToText(cid)}`);
  fs.rmSync(path);
  fs.symlinkSync('/etc/hostname', path);
  await expect(store.get(cid)).rejects.toEqual(code('StorageFailed'));
  await store.put(new TextEncoder().encode('hello'));
  expect(fs.lstatSync(path).isFile()).toBe(true);
  expect(await (await store.get(cid))?.text()).toBe('hello');
  fs.mkdirSync(at(`blobs/ba/${SOME_CID}`));
  await expect(store.get(parseCid(SOME_CID))).rejects.toEqual(code('StorageFailed'));
});

test('storing an existing blob keeps the file, so that a Blob over it stays readable', async () => {
  const store = await openNodeBlobs(folder);
  const { cid } = await store.put(new TextEncoder().encode('hello'));
  const path = at(`blobs/ba/${cidToText(cid)}`);
  const { ino } = fs.statSync(path);
  await store.put(new TextEncoder().encode('hello'));
  expect(fs.statSync(path).ino).toBe(ino);
});

test('an open removes only temporary files of interrupted writes', async () => {
  const store = await openNodeBlobs(folder);
  await store.put(new Uint8Array(1));
  await store.close();
  for (const name of ['notes.tmp-1', `${'a'.repeat(32)}.tmp-put`, 'a'.repeat(32)]) {
    fs.writeFileSync(at(`blobs/${name}`), 'x');
  }
  await (await openNodeBlobs(folder)).close();
  expect(fs.readdirSync(at('blobs')).sort()).toEqual(['a'.repeat(32), 'ba', 'notes.tmp-1']);
});

test('a Blob reads its file on demand, and fails once the file is deleted', async () => {
  const warn = vi.spyOn(process, 'emitWarning');
  const store = await openNodeBlobs(folder);
  const { cid } = await store.put(new Uint8Array(100_000));
  const blob = (await store.get(cid))!;
  await store.close();
  expect((await blob.slice(50_000, 50_010).arrayBuffer()).byteLength).toBe(10);
  fs.rmSync(at(`blobs/ba/${cidToText(cid)}`));
  await expect(blob.arrayBuffer()).rejects.toThrow();
  expect(warn).not.toHaveBeenCalled();
  warn.mockRestore();
});

test('a blob of 40 MB is written and read in chunks', async () => {
  const store = await openNodeBlobs(folder);
  const piece = new Uint8Array(1 << 20).fill(7);
  let count = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (count++ < 40) {
        controller.enqueue(piece);
      } else {
        controller.close();
      }
    },
  });
  const before = process.memoryUsage().arrayBuffers;
  const { cid, size } = await store.put(stream);
  const blob = (await store.get(cid))!;
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 << 20);
  expect([size, blob.size]).toEqual([40 << 20, 40 << 20]);
  expect((await blob.slice((30 << 20) - 5, (30 << 20) + 5).arrayBuffer()).byteLength).toBe(10);
});
