/** CARs that are small for the time and the memory that they request, imported into a repository that is not empty. */
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRepo, openRepo } from '../../../src/node.ts';
import { DID } from '../../../src/testing/repo/harness.ts';
import { boundsCases } from '../bounds-cases.ts';
import { BASE_REV, carOf, posts, repositoryOf } from '../build-repository.ts';
import type { Attack, AttackClass } from './attack.ts';
import { endOf } from './attack.ts';

const OPTIONS = { allowUnsigned: true };

const make =
  (car: () => Promise<Uint8Array> | Uint8Array): Attack['make'] =>
  async (folder) => {
    const repo = await createRepo(join(folder, 'repo'), { did: DID });
    await repo.importCar(carOf(await repositoryOf({ records: posts(200), fields: { rev: BASE_REV } })), OPTIONS);
    await repo.close();
    writeFileSync(join(folder, 'attack.car'), await car());
  };

const run: Attack['run'] = async (folder) => {
  const repo = await openRepo(join(folder, 'repo'));
  try {
    return await endOf(async () => {
      const { faults } = await repo.importCar(createReadStream(join(folder, 'attack.car')), OPTIONS);
      return faults.length > 0 ? 'reported' : 'accepted';
    });
  } finally {
    await repo.close();
  }
};

export const importAttacks: AttackClass = {
  name: 'Small CARs that request much',
  attacks: boundsCases.map(({ name, car, end }) => ({ name, make: make(car), run, end })),
};
