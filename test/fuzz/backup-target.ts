/** A backup of a damaged repository. It is refused and leaves no file, or it restores the same repository. */
import { writeBackup } from '../../src/adapters/folders/backup.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { cidToText } from '../../src/core/data/cid.ts';
import { placeOf, platformOn, restore } from '../crash/folders-on-disk.ts';
import { SimulatedDisk } from '../crash/simulated-disk.ts';
import { contentOf, folderSample, sameContent, soundBlocks } from './folder-sample.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { hold, orRefused } from './fuzz-target.ts';
import { damageBlob, damageDatabase, isOfRecord } from './repair-target.ts';

/** Returns the faults of `verify` and the targets of the refs as one text. */
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
      hold(same, 'a refused backup leaves no file');
      return 'refused';
    }
    await restore(disk, 'saved', 'restored');
    const [here, restored] = [
      await orRefused(() => soundBlocks(disk, '/repo')),
      await orRefused(() => soundBlocks(disk, '/restored')),
    ];
    hold([...(here ?? [])].join() === [...(restored ?? [])].join(), 'all blocks are restored');
    const there = await orRefused(() => lookAt(disk, '/repo'));
    const back = await orRefused(() => lookAt(disk, '/restored'));
    hold(there?.refs === back?.refs, 'the refs have the same targets');
    hold(damaged || back?.isSound === true, 'a backup without `damaged` is sound');
    return 'accepted';
  },
};
