/**
 * Shows that the cuts detect faults: the test removes each flush and each folder sync of the library in turn, and data
 * is then lost. `PDSDB_TABLE=1` prints how each removal was detected.
 */
import { afterAll, expect, test } from 'vitest';
import { openFolderBlobs } from '../../src/adapters/blobs/folder-blob-store.ts';
import { openDiskFiles } from '../../src/adapters/files/files-on-disk.ts';
import { seeded } from '../random/seeded.ts';
import { cutEverywhere, noCuts, recordRun } from './cut-run.ts';
import { blobFolderPort, diskPort } from './disk-ports.ts';
import { DiskImage } from './disk-image.ts';
import { FOLDER } from './place.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import type { DiskCall } from './simulated-disk.ts';
import { onDiskWithout } from './storage-kind.ts';
import { unsyncedAtAcks } from './unsynced-at-acks.ts';
import { workload } from './workload.ts';

const SEED = 1;
const ROUNDS = 10;

interface Mutation {
  readonly name: string;
  readonly forgets: (call: DiskCall, disk: SimulatedDisk) => boolean;
  /**
   * How the removal must be detected, at least. Cuts do not detect a journal that reappears after closing, because it
   * has the content of the database. After a write by another program, it would differ.
   */
  readonly by: 'cuts' | 'log';
}

const flushOf =
  (pattern: RegExp) =>
  ({ verb, path }: DiskCall): boolean =>
    verb === 'flush' && pattern.test(path);
const syncOf =
  (port: DiskCall['port'], folder: string) =>
  (call: DiskCall): boolean =>
    call.verb === 'syncFolder' && call.port === port && call.path === folder;
/** While files are being opened, all of them are open. While files are being closed, only the lock is open. */
const isOpening = (disk: SimulatedDisk): boolean => disk.openCount > 1;
const isEmpty = (disk: SimulatedDisk, path: string): boolean =>
  disk.image.files.get(disk.image.find(path)!.id)!.size === 0;

const mutations: readonly Mutation[] = [
  { name: 'flush of pds.db', forgets: flushOf(/pds\.db$/), by: 'cuts' },
  { name: 'flush of pds.db-wal', forgets: flushOf(/-wal$/), by: 'cuts' },
  {
    name: 'flush of a log that was emptied',
    forgets: (call, disk) => flushOf(/-wal$/)(call) && isEmpty(disk, call.path),
    by: 'cuts',
  },
  { name: 'flush of pds.db-journal', forgets: flushOf(/-journal$/), by: 'cuts' },
  {
    name: 'sync of the folder after opening the files',
    forgets: (call, disk) => syncOf('files', FOLDER)(call) && isOpening(disk),
    by: 'cuts',
  },
  {
    name: 'sync of the folder after removing the journals',
    forgets: (call, disk) => syncOf('files', FOLDER)(call) && !isOpening(disk),
    by: 'log',
  },
  { name: 'sync of the folder after making blobs/', forgets: syncOf('blobs', FOLDER), by: 'cuts' },
  { name: 'sync of blobs/ after making blobs/ba/', forgets: syncOf('blobs', `${FOLDER}/blobs`), by: 'cuts' },
  { name: 'sync of a blob before its rename', forgets: flushOf(/\.tmp-/), by: 'cuts' },
  { name: 'sync of blobs/ba/ after a rename or a removal', forgets: syncOf('blobs', `${FOLDER}/blobs/ba`), by: 'cuts' },
];

const table: string[] = [];
afterAll(() => {
  if (process.env['PDSDB_TABLE'] !== undefined) {
    console.log(table.join('\n'));
  }
});

test.each(mutations)('without the $name, data is lost', async ({ name, forgets, by }) => {
  const counts = noCuts();
  let unsynced: string[] = [];
  for (let seed = SEED; seed < SEED + ROUNDS && counts.failures.length === 0; seed++) {
    const recording = await recordRun(onDiskWithout(forgets), workload(seed));
    unsynced = [...unsynced, ...unsyncedAtAcks(recording)];
    if (by === 'cuts') {
      await cutEverywhere(recording, { random: seeded(seed), each: 4, share: 0.25, untilFailure: true }, counts);
    }
  }
  const outcome =
    counts.failures.length > 0 ? `${counts.lost > 0 ? 'lost' : 'corrupt'}, cut ${counts.cuts}` : 'not tried';
  table.push(`| ${name} | ${outcome} | ${unsynced[0] ?? 'no'} |`);
  const noticed = by === 'cuts' ? counts.failures : unsynced;
  expect(noticed, `seeds from ${SEED}`).not.toEqual([]);
});

test('with all syncs, all acknowledged data is synced', async () => {
  for (let seed = SEED; seed < SEED + ROUNDS; seed++) {
    expect(
      unsyncedAtAcks(
        await recordRun(
          onDiskWithout(() => false),
          workload(seed),
        ),
      ),
      `seed ${seed}`,
    ).toEqual([]);
  }
});

test('the names of files and blobs are synced before their first use', async () => {
  const disk = new SimulatedDisk();
  const files = await openDiskFiles(diskPort(disk), FOLDER, { create: true });
  disk.mark('ack', 1);
  const blobs = await openFolderBlobs(blobFolderPort(disk, FOLDER));
  disk.mark('ack', 2);
  await blobs.close();
  await files.close();
  disk.mark('ack', 3);
  expect(unsyncedAtAcks({ before: new DiskImage(), log: disk.log })).toEqual([]);
});
