/** A salvage finds data behind damage in the WAL, and blocks with damaged keys. */
import { expect, test } from 'vitest';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { cidToText } from '../../src/core/data/cid.ts';
import { platformOn, salvage } from '../crash/folders-on-disk.ts';
import { SimulatedDisk } from '../crash/simulated-disk.ts';
import { folderSample, soundBlocks } from '../fuzz/folder-sample.ts';

const LOG = '/killed/pds.db-wal';
const LOG_HEADER = 32;
const FRAME = 24 + 4096;

const killed = async (): Promise<SimulatedDisk> => new SimulatedDisk((await folderSample()).image.copy());

const changeLog = (disk: SimulatedDisk, change: (bytes: Uint8Array) => unknown): void => {
  const bytes = disk.image.read(LOG)!;
  change(bytes);
  disk.image.leave(LOG, bytes);
};

const headOf = async (disk: SimulatedDisk): Promise<string> => {
  const repo = await sqliteRepo(platformOn(disk, '/killed', false), {});
  try {
    return cidToText((await repo.head())!.cid);
  } finally {
    await repo.close();
  }
};

test('after damage anywhere in the WAL, a salvage has all rows that SQLite would read', async () => {
  const frames = ((await killed()).image.read(LOG)!.length - LOG_HEADER) / FRAME;
  expect(frames).toBeGreaterThan(20);
  for (let frame = 1; frame < frames; frame++) {
    const disk = await killed();
    changeLog(disk, (bytes) => bytes.fill(0, LOG_HEADER + frame * FRAME + 24, LOG_HEADER + (frame + 1) * FRAME));
    const readable = await soundBlocks(new SimulatedDisk(disk.image.copy()), '/killed').catch(() => new Set<string>());
    await salvage(disk, '/killed');
    const found = await soundBlocks(disk, '/killed');
    expect(
      [...readable].filter((cid) => !found.has(cid)),
      `frame ${frame}`,
    ).toEqual([]);
  }
});

test('without the header of the WAL, a salvage has its rows', async () => {
  const { commits } = await folderSample();
  const disk = await killed();
  changeLog(disk, (bytes) => bytes.fill(0, 0, LOG_HEADER));
  const { commits: found } = await salvage(disk, '/killed');
  expect(found).toBe(3);
  expect(await headOf(disk)).toBe(commits.at(-1));
});

test.each([
  ['a letter', 0x40],
  ['a byte that is not UTF-8', 0x80],
])('a block whose key is damaged in %s gets the key of its bytes', async (_, bit) => {
  const { commits } = await folderSample();
  const disk = await killed();
  const damaged = commits.map((name) => {
    const bytes = disk.image.read('/repo/pds.db')!;
    // In the leaf, the key is before the block. In the index, it is before other keys.
    for (let at = Buffer.from(bytes).indexOf(name); at >= 0; at = Buffer.from(bytes).indexOf(name, at + 1)) {
      bytes[at + 30]! ^= bit;
    }
    bytes.fill(0, 0, 100);
    disk.image.leave('/repo/pds.db', bytes);
    return name;
  });
  await salvage(disk, '/repo');
  const found = await soundBlocks(disk, '/repo');
  expect(damaged.filter((name) => !found.has(name))).toEqual([]);
});

test.each([
  ['a larger page', 16, 0x20],
  ['a smaller page', 16, 0x08],
  ['bytes of each page that are not used', 20, 0xcb],
])('a header that says %s hides no rows', async (_, at, byte) => {
  const disk = await killed();
  const before = await soundBlocks(new SimulatedDisk(disk.image.copy()), '/repo');
  const bytes = disk.image.read('/repo/pds.db')!;
  bytes[at] = byte;
  disk.image.leave('/repo/pds.db', bytes);
  await salvage(disk, '/repo');
  const found = await soundBlocks(disk, '/repo');
  expect([...before].filter((name) => !found.has(name))).toEqual([]);
});

test('the remaining part of a truncated page is salvaged', async () => {
  const { image } = await folderSample();
  const original = image.read('/repo/pds.db')!;
  const salvaged = async (bytes: Uint8Array): Promise<number> => {
    const disk = await killed();
    disk.image.leave('/repo/pds.db', bytes);
    await salvage(disk, '/repo');
    return (await soundBlocks(disk, '/repo')).size;
  };
  let [without, cutOff] = [0, 0];
  for (let at = 4096; at < original.length; at += 4096) {
    if (original[at] === 0x0d) {
      const page = original.slice(at, at + 4096);
      const rest = original
        .slice()
        .fill(0, 0, 100)
        .fill(0, at, at + 4096);
      without += await salvaged(rest);
      cutOff += await salvaged(Buffer.concat([rest, page.subarray(0, 4000)]));
    }
  }
  expect(cutOff).toBeGreaterThan(without);
});
