/** Exports across a wire: as far as they are read, as they are followed, and as they are left. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resumedExport } from '../../../src/adapters/rpc/resumed.ts';
import { goneError } from '../../../src/adapters/rpc/error-data.ts';
import type { Progress } from '../../../src/core/repo/long-work.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import { DID, creates } from '../../../src/testing/repo/harness.ts';
import { readAll } from '../../../src/core/data/streams.ts';
import { PlayedBrowser } from './tabs.ts';
import type { PlayedTab } from './tabs.ts';

const RECORDS = 3_000;

let tabs: PlayedTab[];
let leading: Repo;
let following: Repo;

beforeEach(async () => {
  const browser = new PlayedBrowser();
  tabs = [browser.tab(), browser.tab()];
  leading = await tabs[0]!.open('repo', { did: DID });
  await leading.write(creates(RECORDS));
  following = await tabs[1]!.open('repo');
});

afterEach(() => {
  tabs.forEach((tab) => tab.crash());
});

const isRising = (told: readonly Progress[]): boolean =>
  told.every(({ bytes }, i) => i === 0 || bytes > told[i - 1]!.bytes);

test('progress is told, rises, and has counted everything at the end', async () => {
  for (const repo of [leading, following]) {
    const told: Progress[] = [];
    const { length } = await readAll(repo.exportCar({ onProgress: (progress) => told.push(progress) }));
    expect(told.length).toBeGreaterThan(2);
    expect(isRising(told)).toBe(true);
    expect(told.at(-1)).toMatchObject({ phase: 'write', records: RECORDS });
    expect(told.at(-1)!.bytes).toBeLessThan(length);
  }
});

test('progress rises also where the leader dies in the middle', async () => {
  const told: Progress[] = [];
  const reader = following.exportCar({ onProgress: (progress) => told.push(progress) }).getReader();
  await reader.read();
  tabs[0]!.crash();
  while (!(await reader.read()).done) {
    // Until it ends.
  }
  expect(isRising(told)).toBe(true);
  expect(told.at(-1)!.records).toBe(RECORDS);
});

test('nothing is read that nobody asks for', async () => {
  const told: Progress[] = [];
  const reader = following.exportCar({ onProgress: (progress) => told.push(progress) }).getReader();
  await following.head();
  expect(told).toEqual([]);
  await reader.read();
  const { records } = told.at(-1)!;
  await following.head();
  expect(told.at(-1)!.records).toBe(records);
  expect(records).toBeLessThan(RECORDS);
  await reader.cancel();
});

test('one that fails half way is left, so that the server forgets it', async () => {
  const left: number[] = [];
  /** An export whose server goes after the first bytes, and is replaced. */
  const moving = async function* (byte: number): AsyncGenerator<Uint8Array> {
    try {
      yield new Uint8Array(100).fill(byte);
      throw goneError();
    } finally {
      left.push(byte);
    }
  };
  const opened = [1, 2];
  const moved = resumedExport(() => moving(opened.shift()!), undefined);
  await moved.next();
  await expect(moved.next()).rejects.toMatchObject({ code: 'InvalidSwap' });
  expect(left).toEqual([1, 2]);

  const stop = new AbortController();
  const stopped = following.exportCar({ signal: stop.signal }).getReader();
  await stopped.read();
  stop.abort(new Error('enough'));
  await expect(stopped.read()).rejects.toThrow('enough');
  await leading.gc();
  await leading.write([]);
  await leading.gc();
  expect((await leading.gc()).blocks).toBe(0);
});

test('a stream without an async iterator, as WebKit makes them, is imported', async () => {
  const copy = await new PlayedBrowser().tab().open('copy', { did: DID });
  const car = following.exportCar();
  const stream = { getReader: () => car.getReader() } as ReadableStream<Uint8Array>;
  expect((await copy.importCar(stream, { allowUnsigned: true })).created).toBe(RECORDS);
  await copy.close();
});
