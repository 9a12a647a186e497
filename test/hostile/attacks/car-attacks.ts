/** CARs and databases in which a commit, a root, a node or a record has a raw CID. */
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CODEC_RAW, cidOf, cidToText } from '../../../src/core/data/cid.ts';
import type { ImportOptions } from '../../../src/core/repo/long-work.ts';
import { createRepo } from '../../../src/node.ts';
import { DID } from '../../../src/testing/repo/harness.ts';
import { cidClasses } from '../cid-cases.ts';
import type { HostileCase } from '../hostile-case.ts';
import type { Attack, AttackClass } from './attack.ts';
import { endOf, makePosts, use, withDatabase } from './attack.ts';

const carPath = (folder: string): string => join(folder, 'attack.car');

/** Imports the CAR of a folder. Returns `accepted`, `reported` if there are faults of records, or an error code. */
export const importCar =
  (options: ImportOptions = {}) =>
  async (folder: string): Promise<string> => {
    const repo = await createRepo(join(folder, 'repo'), { did: DID });
    try {
      return await endOf(async () => {
        const { faults } = await repo.importCar(createReadStream(carPath(folder)), { allowUnsigned: true, ...options });
        return faults.length > 0 ? 'reported' : 'accepted';
      });
    } finally {
      await repo.close();
    }
  };

export const makeCar =
  (car: HostileCase['car']): Attack['make'] =>
  async (folder) =>
    writeFileSync(carPath(folder), await car());

const fromCases: readonly Attack[] = cidClasses
  .flatMap(({ cases }) => cases)
  .filter(({ name }) => /\braw\b/.test(name))
  .map(({ name, car, options, expect }) => ({
    name,
    make: makeCar(car),
    run: importCar(options),
    end: expect,
  }));

/** A head in `pds.db` whose CID is raw, with the commit under that CID. */
const rawHead: Attack['make'] = async (folder) => {
  await makePosts(folder);
  await withDatabase(folder, (database) => {
    const read = database.prepare(`select value from blocks where key = (select cast(value as text) from refs)`);
    read.step();
    const bytes = read.columnBlob(0);
    read.finalize();
    const name = cidToText(cidOf(CODEC_RAW, bytes));
    database.prepare('insert into blocks values (?, ?)').run(name, bytes);
    database.exec(`update refs set value = cast('${name}' as blob)`);
  });
};

export const carAttacks: AttackClass = {
  name: 'Raw CIDs',
  attacks: [...fromCases, { name: 'a raw head in pds.db', make: rawHead, run: use, end: 'Malformed' }],
};
