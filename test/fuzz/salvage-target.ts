/** A salvage of a damaged database. It changes nothing, or it leaves a sound database and the old one beside it. */
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { equalBytes } from '../../src/core/data/bytes.ts';
import { cidToText } from '../../src/core/data/cid.ts';
import { KEY } from '../../src/testing/repo/harness.ts';
import { platformOn, salvage } from '../crash/folders-on-disk.ts';
import { SimulatedDisk } from '../crash/simulated-disk.ts';
import { contentOf, folderSample, sameContent, soundBlocks } from './folder-sample.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { hold, orRefused } from './fuzz-target.ts';
import { mutateBytes, pick } from './mutate-bytes.ts';
import { mutateFile, mutatePages } from './mutate-database.ts';
import { damageDatabase, repairAndJudge } from './repair-target.ts';

const headOf = async (disk: SimulatedDisk, folder: string): Promise<string | undefined> => {
  const repo = await sqliteRepo(platformOn(disk, folder, false), {});
  try {
    const cid = (await repo.refs()).get('main');
    return cid && cidToText(cid);
  } finally {
    await repo.close();
  }
};

const isIn = (inner: ReadonlySet<string>, outer: ReadonlySet<string>): boolean =>
  [...inner].every((cid) => outer.has(cid));

export const salvageTarget: FuzzTarget = {
  name: 'salvage',
  async run(random) {
    const sample = await folderSample();
    const disk = new SimulatedDisk(sample.image.copy());
    const folder = random() < 0.6 ? '/repo' : '/killed';
    const [path, log] = [`${folder}/pds.db`, `${folder}/pds.db-wal`];
    const damage = pick(random, [mutatePages, mutateFile]);
    if (folder === '/repo') {
      await damageDatabase(disk, folder, sample, random);
    } else if (random() < 0.5) {
      disk.image.leave(
        log,
        random() < 0.5 ? mutateBytes(disk.image.read(log)!, random) : damage(disk.image.read(log)!, random),
      );
    }
    const main = disk.image.read(path)!;
    if (main.length > 0 && random() < 0.5) {
      disk.image.leave(path, damage(main, random));
    }
    const readable = await orRefused(() => soundBlocks(new SimulatedDisk(disk.image.copy()), folder));
    const before = contentOf(disk.image);
    const [oldMain, oldLog] = [disk.image.read(path)!, disk.image.read(log)];
    const report = await orRefused(() => salvage(disk, folder));
    if (report === undefined) {
      hold(sameContent(before, contentOf(disk.image)), 'a refused salvage changes nothing');
      return 'refused';
    }
    const kept = disk.image.read(`${folder}/${report.keptAs}`);
    hold(kept !== undefined && equalBytes(kept, oldMain), 'the damaged database is kept unchanged');
    const keptLog = disk.image.read(`${folder}/${report.keptAs}-wal`);
    hold(
      oldLog === undefined || oldLog.length === 0 || (keptLog !== undefined && equalBytes(keptLog, oldLog)),
      'and so is its WAL',
    );
    hold(!disk.image.paths().some((name) => name.includes('salvage.tmp')), 'nothing else is left');
    const found = await soundBlocks(disk, folder);
    hold(
      found.size === report.blocks,
      `the database has as many blocks as the report: ${found.size} of ${report.blocks}`,
    );
    hold(readable === undefined || isIn(readable, found), 'all blocks that SQLite could read are present');
    const head = await headOf(disk, folder);
    await salvage(disk, folder);
    hold((await headOf(disk, folder)) === head, 'a second salvage finds the same head');
    hold(isIn(found, await soundBlocks(disk, folder)), 'and the same blocks');
    const repo = await sqliteRepo(platformOn(disk, folder, false), { signer: KEY });
    const isWhole = await repairAndJudge(repo);
    await repo.close();
    return isWhole ? 'accepted' : 'refused';
  },
};
