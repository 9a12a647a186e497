/**
 * Repositories that somebody damaged, and then a backup: it is refused and nothing is there, or the same repository
 * comes out of it again.
 */
import { writeBackup } from '../../src/adapters/folders/backup.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { cidToText } from '../../src/core/data/cid.ts';
import { placeOf, platformOn, restore } from '../crash/folders-on-disk.ts';
import { SimulatedDisk } from '../crash/simulated-disk.ts';
import { contentOf, folderSample, sameContent, soundBlocks } from './folder-sample.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { hold, orRefused } from './fuzz-target.ts';
import { damageBlob, damageDatabase, isOfRecord } from './repair-target.ts';

/** What `verify` finds, and where the refs lead, in words. */
const lookAt = async (
  disk: SimulatedDisk,
  folder: string,
): Promise<{ readonly refs: string; readonly isSound: boolean }> => {
  const repo = await sqliteRepo(platformOn(disk, folder, false), {});
  try {
    const refs = [...(await repo.refs())].map(([name, cid]) => `${name}=${cidToText(cid)}`).join();
    return { refs, isSound: (await repo.verify()).faults.every(isOfRecord) };
  } finally {
    await repo.close();
  }
};

export const backupTarget: FuzzTarget = {
  name: 'backup',
  async run(random) {
    const sample = await folderSample();
    const disk = new SimulatedDisk(sample.image.copy());
    if (random() < 0.9) {
      await damageDatabase(disk, '/repo', sample, random);
    }
    if (random() < 0.3) {
      damageBlob(disk, '/repo', random);
    }
    const damaged = random() < 0.5;
    const repo = await orRefused(() => sqliteRepo(platformOn(disk, '/repo', false), {}));
    if (repo === undefined) {
      return 'refused';
    }
    const before = contentOf(disk.image);
    const saved = await orRefused(() => writeBackup(placeOf(disk, 'saved'), repo.backup({ damaged }), {}));
    const same = sameContent(before, contentOf(disk.image));
    await orRefused(() => repo.close());
    if (saved === undefined) {
      hold(same, 'a backup that is refused leaves nothing behind');
      return 'refused';
    }
    await restore(disk, 'saved', 'restored');
    const [here, restored] = [
      await orRefused(() => soundBlocks(disk, '/repo')),
      await orRefused(() => soundBlocks(disk, '/restored')),
    ];
    hold([...(here ?? [])].join() === [...(restored ?? [])].join(), 'all blocks come back');
    const there = await orRefused(() => lookAt(disk, '/repo'));
    const back = await orRefused(() => lookAt(disk, '/restored'));
    hold(there?.refs === back?.refs, 'and the refs lead where they led');
    hold(damaged || back?.isSound === true, 'a backup that was not to be one of damage is sound');
    return 'accepted';
  },
};
