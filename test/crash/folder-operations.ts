/** Operations on whole folders of a simulated disk, and the valid states after each, and after an interruption. */
import { exportFolder, importFolder } from '../../src/adapters/folders/transfer.ts';
import type { FolderEntry } from '../../src/adapters/folders/transfer.ts';
import { writeBackup } from '../../src/adapters/folders/backup.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { cidToText } from '../../src/core/data/cid.ts';
import { isRepoError } from '../../src/core/errors.ts';
import type { Repo, WriteOp } from '../../src/core/repo/repo.ts';
import type { DiskImage } from './disk-image.ts';
import { backUp, placeOf, platformOn, restore, salvage } from './folders-on-disk.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { DID } from './workload.ts';

const THING = 'com.example.thing';

/** The disks before an operation: a repository, the same without its last commit, and a backup of each. */
export interface Before {
  readonly image: DiskImage;
  /** The heads of both repositories. */
  readonly newer: string;
  readonly older: string;
  /** The files of the newer repository. */
  readonly entries: readonly FolderEntry[];
}

export interface FolderOperation {
  readonly name: string;
  /** Prepares the disk. */
  readonly arrange?: ((disk: SimulatedDisk) => Promise<void>) | undefined;
  run(disk: SimulatedDisk, before: Before): Promise<unknown>;
  /** Returns a sentence for each fault, after the operation was acknowledged, or after it was interrupted. */
  judge(disk: SimulatedDisk, before: Before, acknowledged: boolean): Promise<string | undefined>;
}

/** Returns the head of the repository in a folder if all of it is sound, and else a description. */
const lookAt = async (disk: SimulatedDisk, folder: string): Promise<string> => {
  if (disk.image.find(folder) === undefined) {
    return 'nothing';
  }
  let repo: Repo | undefined;
  try {
    repo = await sqliteRepo(platformOn(disk, folder, false), {});
    const { faults } = await repo.verify();
    for await (const { uri } of repo.missingBlobs()) {
      return `lacks the blob of ${uri}`;
    }
    return faults.length > 0 ? faults.map(({ message }) => message).join('; ') : cidToText((await repo.head())!.cid);
  } catch (error) {
    return isRepoError(error) ? error.code : String(error);
  } finally {
    await repo?.close();
  }
};

/** Restores a backup, and returns the head or a description. */
const lookAtBackup = async (disk: SimulatedDisk, name: string): Promise<string> => {
  if (disk.image.find(`/${name}`) === undefined) {
    return 'nothing';
  }
  try {
    await restore(disk, name, 'looked-at');
    return await lookAt(disk, '/looked-at');
  } catch (error) {
    return isRepoError(error) ? `${error.code}: ${error.message}` : String(error);
  }
};

/** The entry that was renamed away from a name, if it still exists. */
const oldNameOf = (disk: SimulatedDisk, name: string): string | undefined =>
  disk.image
    .paths()
    .map((path) => new RegExp(`^/(${name}\\.old-[0-9a-f]+)/$`).exec(path)?.[1])
    .find((found) => found !== undefined);

const oneOf = (what: string, found: string, ...wanted: readonly string[]): string | undefined =>
  wanted.includes(found) ? undefined : `${what} is ${found} in place of ${wanted.join(' or ')}`;

export const makeBefore = async (): Promise<Before> => {
  const disk = new SimulatedDisk();
  const make = async (folder: string): Promise<Repo> => {
    const repo = await sqliteRepo(platformOn(disk, folder, true), { did: DID });
    const picture = await repo.putBlob(new Uint8Array(5000).fill(7), { mimeType: 'image/png' });
    const things = Array.from(
      { length: 30 },
      (_, i): WriteOp => ({
        action: 'create',
        collection: THING,
        rkey: `${i}`,
        value: { $type: THING, text: `${i}`.repeat(50), picture },
      }),
    );
    await repo.write(things);
    return repo;
  };
  const repo = await make('/older');
  const older = cidToText((await repo.head())!.cid);
  await writeBackup(placeOf(disk, 'older-backup'), repo.backup(), {});
  await repo.close();
  await restore(disk, 'older-backup', 'newer');
  const next = await sqliteRepo(platformOn(disk, '/newer', false), {});
  await next.put(THING, 'last', { $type: THING });
  const newer = cidToText((await next.head())!.cid);
  await writeBackup(placeOf(disk, 'newer-backup'), next.backup(), {});
  await next.close();
  return { image: disk.image, newer, older, entries: await collect(disk) };
};

/** The refs of commits that are only in the WAL. */
const KEPT = Array.from({ length: 3 }, (_, i) => `kept-${i}`);

/** The newer repository, as a killed process leaves it. */
const killAfterCommits = async (disk: SimulatedDisk): Promise<void> => {
  const repo = await sqliteRepo(platformOn(disk, '/newer', false), {});
  for (const name of KEPT) {
    const things = Array.from(
      { length: 2 },
      (_, i): WriteOp => ({
        action: 'create',
        collection: THING,
        rkey: `${name}-${i}`,
        value: { $type: THING, text: name.repeat(30) },
      }),
    );
    const { rev } = await repo.write(things, { message: name });
    await repo.setRef(name, rev);
  }
  disk.kill();
  await repo.close().catch(() => undefined);
};

/** The same, of a database that has grown and shrunk before. Its rows are on other pages than in a new database. */
const killAfterRemovals = async (disk: SimulatedDisk): Promise<void> => {
  const repo = await sqliteRepo(platformOn(disk, '/newer', false), {});
  const rkeys = Array.from({ length: 120 }, (_, i) => `much-${(i * 71) % 120}`);
  await repo.write(
    rkeys.map(
      (rkey): WriteOp => ({
        action: 'create',
        collection: THING,
        rkey,
        value: { $type: THING, text: rkey.repeat(40) },
      }),
    ),
  );
  await repo.write(
    rkeys.filter((_, i) => i % 3 > 0).map((rkey): WriteOp => ({ action: 'delete', collection: THING, rkey })),
  );
  await repo.gc({ keep: 1 });
  await repo.close();
  await killAfterCommits(disk);
};

/**
 * The same, closed, with a journal beside it, as another program leaves it that is killed in a transaction. The journal
 * has every other page, with its current content. https://sqlite.org/fileformat2.html#the_rollback_journal
 */
const leaveJournal = async (disk: SimulatedDisk): Promise<void> => {
  await killAfterRemovals(disk);
  await (await sqliteRepo(platformOn(disk, '/newer', false), {})).close();
  const [main, page, sector] = [disk.image.read('/newer/pds.db')!, 4096, 512];
  const numbers = Array.from({ length: main.length / page }, (_, i) => i + 1).filter((number) => number % 2 === 0);
  const journal = new Uint8Array(sector + numbers.length * (page + 8));
  const view = new DataView(journal.buffer);
  journal.set([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
  // The number of pages, the start value of the checksums, the number of pages of the database, the sector size and the
  // page size.
  [numbers.length, 0, main.length / page, sector, page].forEach((value, i) => view.setUint32(8 + 4 * i, value));
  for (const [i, number] of numbers.entries()) {
    const content = main.subarray((number - 1) * page, number * page);
    const at = sector + i * (page + 8);
    view.setUint32(at, number);
    journal.set(content, at + 4);
    let sum = 0;
    for (let from = page - 200; from > 0; from -= 200) {
      sum += content[from]!;
    }
    view.setUint32(at + 4 + page, sum);
  }
  disk.image.leave('/newer/pds.db-journal', journal);
};

/** Returns the last of those commits if all of them are stored. */
const lastKept = async (disk: SimulatedDisk): Promise<string> => {
  const repo = await sqliteRepo(platformOn(disk, '/newer', false), {});
  try {
    const refs = await repo.refs();
    return KEPT.every((name) => refs.has(name))
      ? cidToText(refs.get(KEPT.at(-1)!)!)
      : 'one with what was in the log alone';
  } finally {
    await repo.close();
  }
};

const judgeSalvage: FolderOperation['judge'] = async (disk, _before, acknowledged) => {
  const isDatabase = new TextDecoder('latin1').decode(disk.image.read('/newer/pds.db')).startsWith('SQLite format 3');
  let found = await lookAt(disk, '/newer');
  if (!acknowledged && !isDatabase && found === 'Corrupt') {
    // The database must be salvaged, again or for the first time. A file that looks like a database is the new one.
    // Otherwise the old one would open.
    await salvage(disk, '/newer');
    found = await lookAt(disk, '/newer');
  }
  return oneOf('the repository', found, found.startsWith('baf') ? await lastKept(disk) : 'sound');
};

const collect = async (disk: SimulatedDisk): Promise<FolderEntry[]> => {
  const entries: FolderEntry[] = [];
  for await (const { path, content } of exportFolder(platformOn(disk, '/newer', false))) {
    entries.push({
      path,
      content: await new Response(content.stream() as ReadableStream<Uint8Array<ArrayBuffer>>).blob(),
    });
  }
  return entries;
};

export const folderOperations: readonly FolderOperation[] = [
  {
    name: 'a backup',
    run: (disk) => backUp(disk, '/newer', 'backup'),
    judge: async (disk, { newer }, acknowledged) =>
      oneOf('the backup', await lookAtBackup(disk, 'backup'), newer, ...(acknowledged ? [] : ['nothing'])) ??
      oneOf('the repository', await lookAt(disk, '/newer'), newer),
  },
  {
    name: 'a backup in place of another',
    run: (disk) => backUp(disk, '/newer', 'older-backup', true),
    async judge(disk, { newer, older }, acknowledged) {
      // Between two renames, no folder has the name, and the old folder is beside it.
      const name =
        acknowledged || disk.image.find('/older-backup') !== undefined
          ? 'older-backup'
          : (oldNameOf(disk, 'older-backup') ?? 'older-backup');
      return oneOf('the backup', await lookAtBackup(disk, name), newer, ...(acknowledged ? [] : [older]));
    },
  },
  {
    name: 'a restoration',
    run: (disk) => restore(disk, 'newer-backup', 'restored'),
    judge: async (disk, { newer }, acknowledged) =>
      oneOf('the repository', await lookAt(disk, '/restored'), newer, ...(acknowledged ? [] : ['nothing'])),
  },
  {
    name: 'a restoration in place of a repository',
    run: (disk) => restore(disk, 'newer-backup', 'older', true),
    async judge(disk, { newer, older }, acknowledged) {
      const folder =
        acknowledged || disk.image.find('/older') !== undefined ? 'older' : (oldNameOf(disk, 'older') ?? 'older');
      return oneOf('the repository', await lookAt(disk, `/${folder}`), newer, ...(acknowledged ? [] : [older]));
    },
  },
  {
    name: 'the import of a folder',
    run: (disk, { entries }) => importFolder(platformOn(disk, '/imported', true), entries),
    judge: async (disk, { newer }, acknowledged) =>
      oneOf(
        'the repository',
        await lookAt(disk, '/imported'),
        newer,
        ...(acknowledged ? [] : ['nothing', 'RepoNotFound', 'Corrupt']),
      ),
  },
  {
    name: 'a salvage of what would open',
    arrange: killAfterCommits,
    run: (disk) => salvage(disk, '/newer'),
    judge: judgeSalvage,
  },
  {
    name: 'a salvage of what has grown and shrunk',
    arrange: killAfterRemovals,
    run: (disk) => salvage(disk, '/newer'),
    judge: judgeSalvage,
  },
  {
    name: 'a salvage of a database with a journal',
    arrange: leaveJournal,
    run: (disk) => salvage(disk, '/newer'),
    judge: async (disk, before, acknowledged) =>
      acknowledged && !disk.image.paths('/newer').some((path) => /damaged-.*-journal$/.test(path))
        ? 'the journal is not kept'
        : judgeSalvage(disk, before, acknowledged),
  },
  {
    name: 'a salvage of a database without its first page',
    async arrange(disk) {
      await killAfterCommits(disk);
      disk.image.files.get(disk.image.find('/newer/pds.db')!.id)!.write(new Uint8Array(4096), 0);
    },
    run: (disk) => salvage(disk, '/newer'),
    judge: judgeSalvage,
  },
];
