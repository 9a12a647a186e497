/** A child process that imports one CAR, and prints the result and the cost. `node bounds-child.mjs <folder> <file>` */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isRepoError } from '../../src/core/errors.ts';
import { createRepo } from '../../src/node.ts';
import { DID } from '../../src/testing/repo/harness.ts';

const [folder, path, warm] = process.argv.slice(2) as [string, string, string];
const repo = await createRepo(folder, { did: DID });
await repo.importCar(await readFile(warm), { allowUnsigned: true });
const before = process.resourceUsage();

const endOf = async (): Promise<string> => {
  try {
    const { faults } = await repo.importCar(createReadStream(path), { allowUnsigned: true });
    return faults.length === 0 ? 'accepted' : 'reported';
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return error.code;
  }
};
const end = await endOf();
const after = process.resourceUsage();
await repo.close();
const ms = (after.userCPUTime - before.userCPUTime) / 1000;
const polluted = ({} as Record<string, unknown>)['polluted'] !== undefined;
console.log(
  JSON.stringify({ end, ms: Math.round(ms), grownMb: Math.round((after.maxRSS - before.maxRSS) / 1024), polluted }),
);
