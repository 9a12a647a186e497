/** The contract of {@link DatabaseFiles}, as test cases. */
import type { DatabaseFiles, SyncFile } from '../../wasm/vfs/database-files.ts';
import { assert, assertEqual, assertRejects, rejectionOf, skip } from '../case.ts';
import type { Case } from '../case.ts';

/** A storage for one database, empty when a case begins. Each case gets its own harness. */
export interface DatabaseFilesHarness {
  /** Opens the files, and creates missing ones. */
  open(): Promise<DatabaseFiles>;
  /** Whether durable content exists after reopening. */
  readonly keeps: boolean;
  /** Whether a second open is refused while the files are open. */
  readonly excludes: boolean;
  /** Whether sparse files of more than 4 GiB are possible. */
  readonly large: boolean;
  /** Makes the next open fail before its end. Returns a function that undoes this. */
  breakOpen?(): Promise<() => Promise<void>>;
  /** Returns the names of all stored files. */
  names?(): Promise<readonly string[]>;
}

const SLOTS = ['main', 'journal', 'wal'] as const;
const GIB = 2 ** 30;

const bytesOf = (length: number, seed: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    bytes[i] = (i * 13 + seed * 101 + 1 + (i >> 8)) & 255;
  }
  return bytes;
};

/** Returns the bytes at `at`. The buffer has other content before the read. */
const readAt = (file: SyncFile, at: number, length: number): Uint8Array => {
  const buffer = new Uint8Array(length).fill(0xee);
  return buffer.subarray(0, file.read(buffer, { at }));
};

const settle = async (files: DatabaseFiles): Promise<void> => {
  if (files.durableOn === 'flush') {
    for (const slot of SLOTS) {
      files[slot].flush();
    }
  }
  await files.persist();
};

const withFiles = (
  name: string,
  run: (files: DatabaseFiles, harness: DatabaseFilesHarness) => Promise<void>,
): Case<DatabaseFilesHarness> => ({
  name,
  async run(harness) {
    const files = await harness.open();
    try {
      await run(files, harness);
    } finally {
      await files.close();
    }
  },
});

/** Returns one case for each of the three files. */
const forEachFile = (name: string, run: (file: SyncFile) => void): readonly Case<DatabaseFilesHarness>[] =>
  SLOTS.map((slot) => withFiles(`${slot}: ${name}`, async (files) => run(files[slot])));

const files: readonly Case<DatabaseFilesHarness>[] = [
  ...forEachFile('is empty at first, and reads return no bytes', (file) => {
    assertEqual(file.getSize(), 0, 'size');
    assertEqual(readAt(file, 0, 100), new Uint8Array(0), 'at the beginning');
    assertEqual(readAt(file, 12_345, 1), new Uint8Array(0), 'past the end');
  }),
  ...forEachFile('reads the written bytes, all and in parts', (file) => {
    const bytes = bytesOf(10_000, 1);
    assertEqual(file.write(bytes, { at: 0 }), 10_000, 'bytes taken');
    assertEqual(file.getSize(), 10_000, 'size');
    assertEqual(readAt(file, 0, 10_000), bytes, 'whole');
    assertEqual(readAt(file, 4095, 2), bytes.subarray(4095, 4097), 'across a page');
    assertEqual(readAt(file, 0, 0), new Uint8Array(0), 'nothing');
  }),
  ...forEachFile('reads past the end are short, and do not change the rest of the buffer', (file) => {
    file.write(bytesOf(100, 1), { at: 0 });
    const buffer = new Uint8Array(50).fill(0xee);
    assertEqual(file.read(buffer, { at: 80 }), 20, 'bytes read');
    assertEqual(buffer.subarray(0, 20), bytesOf(100, 1).subarray(80), 'what was there');
    assert(
      buffer.subarray(20).every((byte) => byte === 0xee),
      'the rest of the buffer is untouched',
    );
    assertEqual(readAt(file, 100, 10), new Uint8Array(0), 'at the end');
  }),
  ...forEachFile('writes in the middle do not change other bytes', (file) => {
    const expected = bytesOf(20_000, 1);
    file.write(expected, { at: 0 });
    for (const [at, length] of [
      [0, 1],
      [4096, 4096],
      [8191, 3],
      [19_999, 1],
      [16_000, 0],
    ] as const) {
      const piece = bytesOf(length, at + 2);
      expected.set(piece, at);
      file.write(piece, { at });
      assertEqual(readAt(file, 0, 20_000), expected, `after ${length} bytes at ${at}`);
    }
    assertEqual(file.getSize(), 20_000, 'size');
  }),
  ...forEachFile('writes past the end fill the gap with zeros', (file) => {
    file.write(bytesOf(10, 1), { at: 0 });
    file.write(bytesOf(10, 2), { at: 9000 });
    assertEqual(file.getSize(), 9010, 'size');
    assertEqual(readAt(file, 10, 8990), new Uint8Array(8990), 'between');
    assertEqual(readAt(file, 9000, 10), bytesOf(10, 2), 'written');
  }),
  ...forEachFile('truncates down and up; regrown bytes are zeros', (file) => {
    file.write(bytesOf(10_000, 1), { at: 0 });
    file.truncate(5001);
    assertEqual(file.getSize(), 5001, 'size after cutting');
    assertEqual(readAt(file, 4990, 100), bytesOf(10_000, 1).subarray(4990, 5001), 'the end after cutting');
    file.truncate(9000);
    assertEqual(file.getSize(), 9000, 'size after growing');
    assertEqual(readAt(file, 5001, 3999), new Uint8Array(3999), 'what was grown');
    file.truncate(0);
    assertEqual(file.getSize(), 0, 'size of nothing');
    file.write(bytesOf(1, 3), { at: 3 });
    assertEqual(readAt(file, 0, 10), new Uint8Array([0, 0, 0, bytesOf(1, 3)[0]!]), 'after growing from nothing');
  }),
  ...forEachFile('writes a part of a larger buffer', (file) => {
    const whole = bytesOf(300, 1);
    file.write(whole.subarray(100, 200), { at: 5 });
    assertEqual(readAt(file, 5, 500), whole.subarray(100, 200), 'content');
    const buffer = new Uint8Array(300).fill(0xee);
    file.read(buffer.subarray(10, 20), { at: 5 });
    assertEqual(buffer.subarray(9, 21), new Uint8Array([0xee, ...whole.subarray(100, 110), 0xee]), 'read into a part');
  }),
  ...forEachFile('a later change of a written buffer changes nothing', (file) => {
    const bytes = bytesOf(5000, 1);
    file.write(bytes, { at: 0 });
    bytes.fill(0);
    assertEqual(readAt(file, 0, 5000), bytesOf(5000, 1), 'content');
  }),
  withFiles('the three files are independent', async ({ main, journal, wal }) => {
    [main, journal, wal].forEach((file, i) => file.write(bytesOf(100, i), { at: i * 10 }));
    [main, journal, wal].forEach((file, i) => {
      assertEqual(file.getSize(), 100 + i * 10, `size of number ${i}`);
      assertEqual(readAt(file, i * 10, 100), bytesOf(100, i), `content of number ${i}`);
    });
    journal.truncate(0);
    assertEqual([main.getSize(), journal.getSize(), wal.getSize()], [100, 0, 120], 'sizes');
  }),
  withFiles('offsets past 2 and 4 GiB', async ({ main }, harness) => {
    if (!harness.large) {
      skip('files may not become so large here');
    }
    const offsets = [2 * GIB - 5, 4 * GIB - 5, 5 * GIB];
    offsets.forEach((at, i) => main.write(bytesOf(10, i), { at }));
    assertEqual(main.getSize(), 5 * GIB + 10, 'size');
    offsets.forEach((at, i) => assertEqual(readAt(main, at, 10), bytesOf(10, i), `content at ${at}`));
    assertEqual(readAt(main, GIB - 5, 10), new Uint8Array(10), 'what the offset is in 32 bits');
    main.truncate(4 * GIB + 1);
    assertEqual(main.getSize(), 4 * GIB + 1, 'size after cutting');
    main.truncate(0);
  }),
  withFiles('random writes and truncations give the same content as in memory; seed 20', async ({ main }) => {
    let state = 20;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let expected = new Uint8Array(0);
    for (let step = 0; step < 300; step++) {
      const at = random(60_000);
      const isCut = random(8) === 0;
      const piece = bytesOf(random(9000), step);
      const end = isCut ? at : Math.max(expected.length, piece.length === 0 ? 0 : at + piece.length);
      const next = new Uint8Array(end);
      next.set(expected.subarray(0, end));
      if (isCut) {
        main.truncate(at);
      } else {
        next.set(piece, piece.length === 0 ? 0 : at);
        main.write(piece, { at });
      }
      expected = next;
      assertEqual(main.getSize(), end, `size after step ${step}`);
      const start = random(60_000);
      assertEqual(readAt(main, start, 5000), expected.subarray(start, start + 5000), `content after step ${step}`);
    }
    assertEqual(readAt(main, 0, 100_000), expected, 'whole');
  }),
];

const living: readonly Case<DatabaseFilesHarness>[] = [
  {
    name: 'durable content of each of the three files exists after reopening',
    async run(harness) {
      if (!harness.keeps) {
        skip('the files keep nothing');
      }
      for (let round = 0; round < 3; round++) {
        const files = await harness.open();
        SLOTS.forEach((slot, i) => {
          const before = round === 0 ? new Uint8Array(0) : bytesOf(5000 + i, round * 10 + i - 10);
          assertEqual(readAt(files[slot], 0, 9999), before, `${slot} in round ${round}`);
          files[slot].write(bytesOf(5000 + i, round * 10 + i), { at: 0 });
        });
        await settle(files);
        await files.close();
      }
    },
  },
  {
    name: 'a second open is refused with Locked, and changes nothing',
    async run(harness) {
      if (!harness.excludes) {
        skip('a second open is not refused here');
      }
      const files = await harness.open();
      files.main.write(bytesOf(100, 1), { at: 0 });
      await assertRejects(() => harness.open(), 'Locked', 'second open');
      await assertRejects(() => harness.open(), 'Locked', 'third open');
      assertEqual(readAt(files.main, 0, 200), bytesOf(100, 1), 'content');
      await settle(files);
      await files.close();
      await (await harness.open()).close();
    },
  },
  {
    name: 'of many concurrent opens exactly one succeeds',
    async run(harness) {
      if (!harness.excludes) {
        skip('a second open is not refused here');
      }
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => harness.open()));
      const opened = outcomes.filter((outcome) => outcome.status === 'fulfilled');
      assertEqual(opened.length, 1, 'opened');
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') {
          await assertRejects(() => Promise.reject(outcome.reason as Error), 'Locked', 'refused');
        }
      }
      await opened[0]!.value.close();
    },
  },
  {
    name: 'a failed open leaves nothing locked',
    async run(harness) {
      const breakOpen = harness.breakOpen ?? skip('an open cannot be made to fail');
      const mend = await breakOpen.call(harness);
      await rejectionOf(() => harness.open(), 'open');
      await rejectionOf(() => harness.open(), 'open again');
      await mend();
      const files = await harness.open();
      assertEqual(files.main.getSize(), 0, 'size');
      await files.close();
    },
  },
  {
    name: 'close leaves only the database, without empty journals',
    async run(harness) {
      const names = harness.names ?? skip('the names cannot be seen');
      const files = await harness.open();
      files.main.write(bytesOf(4096, 1), { at: 0 });
      files.journal.write(bytesOf(10, 1), { at: 0 });
      files.journal.truncate(0);
      await settle(files);
      await files.close();
      assertEqual(await names.call(harness), ['pds.db'], 'names');
    },
  },
  {
    name: 'close keeps a journal that is not empty',
    async run(harness) {
      if (!harness.keeps) {
        skip('the files keep nothing');
      }
      const first = await harness.open();
      first.main.write(bytesOf(10, 1), { at: 0 });
      first.journal.write(bytesOf(20, 2), { at: 0 });
      await settle(first);
      await first.close();
      const second = await harness.open();
      assertEqual(readAt(second.journal, 0, 100), bytesOf(20, 2), 'journal');
      await second.close();
    },
  },
  {
    name: 'a second close does nothing, and later calls are Closed',
    async run(harness) {
      const files = await harness.open();
      await files.close();
      await files.close();
      await files[Symbol.asyncDispose]();
      await assertRejects(() => files.persist(), 'Closed', 'persist');
      for (const slot of SLOTS) {
        await rejectionOf(() => files[slot].write(new Uint8Array(1), { at: 0 }), `write to ${slot}`);
        await rejectionOf(() => files[slot].read(new Uint8Array(1), { at: 0 }), `read of ${slot}`);
        await rejectionOf(() => files[slot].getSize(), `size of ${slot}`);
      }
    },
  },
];

/** All cases. Every implementation runs them. */
export const databaseFilesCases: readonly Case<DatabaseFilesHarness>[] = [...files, ...living];
