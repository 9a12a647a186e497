/**
 * A repair of a damaged database and its blobs. It loses no intact data, reports all losses, and its `whole` is
 * correct.
 */
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { cidToText } from '../../src/core/data/cid.ts';
import { isRepoError } from '../../src/core/errors.ts';
import type { Fault } from '../../src/core/data/fault.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import type { RepairReport } from '../../src/core/repo/care/repair-report.ts';
import { verifyCar } from '../../src/core/repo/transfer/verify-car.ts';
import { KEY } from '../../src/testing/repo/harness.ts';
import { readAll } from '../../src/core/data/streams.ts';
import { platformOn } from '../crash/folders-on-disk.ts';
import { SimulatedDisk } from '../crash/simulated-disk.ts';
import type { FolderSample } from './folder-sample.ts';
import { folderSample, soundBlocks, withFiles } from './folder-sample.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { hold, orRefused } from './fuzz-target.ts';
import type { Random } from './mutate-bytes.ts';
import { mutateBytes, pick } from './mutate-bytes.ts';
import { editRows, forgeBlocks, mutateFile, mutatePages } from './mutate-database.ts';

/** Damages the database in a folder. */
export const damageDatabase = async (
  disk: SimulatedDisk,
  folder: string,
  { commits }: FolderSample,
  random: Random,
): Promise<void> => {
  const dice = random();
  const path = `${folder}/pds.db`;
  if (dice < 0.3) {
    disk.image.leave(path, mutatePages(disk.image.read(path)!, random));
  } else if (dice < 0.4) {
    disk.image.leave(path, mutateFile(disk.image.read(path)!, random));
  } else {
    await withFiles(disk, folder, (files) =>
      dice < 0.7 ? editRows(files, random) : forgeBlocks(files, commits, random),
    );
  }
};

export const damageBlob = (disk: SimulatedDisk, folder: string, random: Random): void => {
  const path = pick(random, disk.image.paths(`${folder}/blobs/ba`));
  disk.image.leave(path, mutateBytes(disk.image.read(path)!, random));
};

/** Records that break the data model are accepted and kept. A repair does not check them. */
export const isOfRecord = ({ code, path }: Fault): boolean => code === 'Malformed' && path !== undefined;

/** A repair guarantees the head. `verify` reports missing blocks of refs and of the history. */
const isOfHistory = ({ code, path, message }: Fault): boolean =>
  code === 'Corrupt' && path !== undefined && path !== 'main' && message.startsWith('not a tree node');

const wordsOf = (report: RepairReport): string => JSON.stringify({ ...report, dryRun: false });
const listOf = (faults: readonly Fault[]): string => faults.map(({ message }) => message).join('; ');

/** Repairs a database that SQLite accepts, and checks the result. Returns whether the head is complete. */
export const repairAndJudge = async (repo: Repo): Promise<boolean> => {
  const planned = await repo.repair({ dryRun: true });
  const done = await repo.repair();
  hold(wordsOf(done) === wordsOf(planned), 'a repair does what its dry run has reported');
  const again = await repo.repair();
  hold(
    again.steps.length === 0,
    `a second repair finds nothing to do: ${again.steps.map(({ message }) => message).join('; ')}`,
  );
  // A blob that the first repair has removed counts as one that never existed.
  hold(again.whole || !done.whole, 'a whole repository stays whole');
  const { faults } = await repo.verify();
  const wrong = faults.filter((fault) => !isOfRecord(fault) && !isOfHistory(fault) && fault.code !== 'BlockNotFound');
  hold(wrong.length === 0 || !done.whole, `a repository that is whole after a repair is sound: ${listOf(wrong)}`);
  const head = await orRefused(() => repo.head());
  hold(
    !done.whole || (head && cidToText(head.cid)) === (done.head && cidToText(done.head)),
    'the head is the one that the report names',
  );
  if (done.whole && head !== undefined) {
    const report = await verifyCar(await readAll(repo.exportCar()));
    hold(report.faults.every(isOfRecord), `a repository reported as whole is whole: ${listOf(report.faults)}`);
    hold(cidToText(report.head) === cidToText(head.cid), 'and it can be exported');
  }
  return done.whole;
};

/** SQLite rejects the database, so it needs a salvage. */
const hasToBeSalvaged = async (repo: Repo): Promise<boolean> => {
  try {
    await repo.repair({ dryRun: true });
    return false;
  } catch (error) {
    return isRepoError(error, 'Corrupt') && error.message.includes('salvageRepo');
  }
};

export const repairTarget: FuzzTarget = {
  name: 'repair',
  async run(random) {
    const sample = await folderSample();
    const disk = new SimulatedDisk(sample.image.copy());
    await damageDatabase(disk, '/repo', sample, random);
    if (random() < 0.2) {
      damageBlob(disk, '/repo', random);
    }
    const repo = await orRefused(() => sqliteRepo(platformOn(disk, '/repo', false), { signer: KEY }));
    if (repo === undefined) {
      return 'refused';
    }
    try {
      if (await hasToBeSalvaged(repo)) {
        return 'refused';
      }
    } finally {
      await orRefused(() => repo.close());
    }
    const before = await soundBlocks(disk, '/repo');
    const again = await sqliteRepo(platformOn(disk, '/repo', false), { signer: KEY });
    const isWhole = await repairAndJudge(again);
    await again.close();
    const after = await soundBlocks(disk, '/repo');
    hold(
      [...before].every((cid) => after.has(cid)),
      'a repair removes no sound block',
    );
    return isWhole ? 'accepted' : 'refused';
  },
};
