/** Compares the files of other tests with a plain array. */
import { describe, expect, test } from 'vitest';
import { databaseFilesCases } from '../../../src/testing/files/database-files-cases.ts';
import { MemoryFiles } from '../../../src/testing/files/memory-files.ts';
import { seeded } from '../../random/seeded.ts';
import { runCases } from '../../run-cases.ts';

const MAX_SIZE = 40_000;

describe.each(['flush', 'persist'] as const)('the cases for database files, durable on %s', (durableOn) =>
  runCases(databaseFilesCases, () => {
    let place = new MemoryFiles({ durableOn });
    return {
      open: () => {
        place = place.reopened();
        return Promise.resolve(place);
      },
      keeps: true,
      excludes: false,
      large: true,
    };
  }),
);

test.each([1, 2, 3, 4, 5])('a file has the written bytes, and after a power cut the flushed bytes; seed=%i', (seed) => {
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const files = new MemoryFiles();
  let expected = new Uint8Array(0);
  let durable = expected;
  for (let step = 0; step < 400; step++) {
    const kind = below(10);
    if (kind < 5) {
      const at = below(MAX_SIZE);
      const bytes = new Uint8Array(below(9000)).fill(1 + (step % 255));
      const end = bytes.length === 0 ? 0 : at + bytes.length;
      expect(files.main.write(bytes, { at })).toBe(bytes.length);
      const longer = new Uint8Array(Math.max(expected.length, end));
      longer.set(expected);
      if (end > 0) {
        longer.set(bytes, at);
      }
      expected = longer;
    } else if (kind < 6) {
      const size = below(MAX_SIZE);
      files.main.truncate(size);
      const cut = new Uint8Array(size);
      cut.set(expected.subarray(0, size));
      expected = cut;
    } else if (kind < 8) {
      const at = below(MAX_SIZE);
      const buffer = new Uint8Array(below(9000));
      const count = files.main.read(buffer, { at });
      expect(Buffer.compare(buffer.subarray(0, count), expected.subarray(at, at + buffer.length))).toBe(0);
    } else if (kind < 9) {
      files.main.flush();
      durable = expected;
    } else {
      expect(Buffer.compare(files.afterPowerCut().main.bytes(), durable)).toBe(0);
      expect(Buffer.compare(files.reopened().main.bytes(), expected)).toBe(0);
    }
    expect(files.main.getSize()).toBe(expected.length);
  }
});

test('a copy does not change with the original', () => {
  const files = new MemoryFiles();
  files.wal.write(new Uint8Array([1]), { at: 0 });
  const copy = files.reopened();
  files.wal.write(new Uint8Array([2]), { at: 0 });
  expect([...copy.wal.bytes()]).toEqual([1]);
});

test('files durable on persist keep the persisted content, after any flush', async () => {
  const files = new MemoryFiles({ durableOn: 'persist' });
  files.main.write(new Uint8Array([1]), { at: 0 });
  await files.persist();
  files.main.write(new Uint8Array([2]), { at: 0 });
  files.main.flush();
  expect([...files.reopened().main.bytes()]).toEqual([1]);
  expect([...files.afterPowerCut().main.bytes()]).toEqual([1]);
});
