/** Damage to commits before the head. A repository that a repair reports as whole must verify. */
import { openRepo, saveBackup } from '../../../src/node.ts';
import type { Sample } from '../../damage/damaged-repo.ts';
import { flipBlock, makeSample, sql } from '../../damage/damaged-repo.ts';
import { renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Attack, AttackClass } from './attack.ts';
import { endOf, repair } from './attack.ts';

const damaged =
  (damage: (sample: Sample) => Promise<void>): Attack['make'] =>
  async (folder) => {
    const sample = await makeSample(folder);
    await damage(sample);
    renameSync(sample.folder, join(folder, 'repo'));
    rmSync(dirname(sample.folder), { recursive: true });
  };

/** Repairs a repository. If the report says whole, saves a backup. */
const repairAndSave: Attack['run'] = async (folder) => {
  const path = join(folder, 'repo');
  const end = await repair(path);
  if (!end.includes('whole')) {
    return end;
  }
  const repo = await openRepo(path);
  try {
    return await endOf(async () => {
      await saveBackup(repo, join(folder, 'backup'));
      return `${end}, saved`;
    });
  } finally {
    await repo.close();
  }
};

const WHOLE = 'damaged, whole, sound, saved';
const remove = (sample: Sample, cid: { toString(): string }): Promise<void> =>
  sql(sample.folder, `delete from blocks where key = '${String(cid)}'`);

export const historyAttacks: AttackClass = {
  name: 'Damaged history',
  attacks: (
    [
      ['a flipped bit in the first commit', (sample) => flipBlock(sample.folder, sample.commits[0]!.cid)],
      ['a flipped bit in the root of the first commit', (sample) => flipBlock(sample.folder, sample.commits[0]!.data)],
      ['a flipped bit in the commit before the head', (sample) => flipBlock(sample.folder, sample.commits[1]!.cid)],
      ['the root before the head removed', (sample) => remove(sample, sample.commits[1]!.data)],
      ['the first commit removed', (sample) => remove(sample, sample.commits[0]!.cid)],
      [
        'a commit that is a record',
        (sample) =>
          sql(
            sample.folder,
            `update commits set value = cast('${String(sample.record)}' as blob) where key = '${sample.commits[0]!.rev}'`,
          ),
      ],
      [
        'a row in the list of commits that is not text',
        (sample) => sql(sample.folder, `insert into commits values (x'ff', x'ff')`),
      ],
      ['a flipped bit in the root of the head', (sample) => flipBlock(sample.folder, sample.commits[2]!.data)],
    ] as const satisfies readonly (readonly [string, (sample: Sample) => Promise<void>])[]
  ).map(([name, damage]) => ({ name, make: damaged(damage), run: repairAndSave, end: WHOLE })),
};
