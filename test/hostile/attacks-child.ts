/**
 * A child process that uses one folder, and prints the result and the cost. `node attacks-child.mjs <warm folder>
 * <folder> <use>`
 */
import { join } from 'node:path';
import { isRepoError } from '../../src/core/errors.ts';
import { openRepo, restoreBackup } from '../../src/node.ts';

const [warm, folder, use] = process.argv.slice(2) as [string, string, string];

const verified = async (path: string): Promise<string> => {
  const repo = await openRepo(path);
  const { ok } = await repo.verify();
  await repo.close();
  return ok ? 'sound' : 'damaged';
};

const repaired = async (path: string): Promise<string> => {
  const repo = await openRepo(path);
  const { whole } = await repo.repair();
  await repo.close();
  return whole ? 'whole' : 'damaged';
};

const endOf = async (path: string): Promise<string> => {
  try {
    if (use === 'restore' && path !== warm) {
      await restoreBackup(join(path, 'backup'), join(path, 'restored'));
      return 'sound';
    }
    return await (use === 'repair' ? repaired(path) : verified(path));
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return error.code;
  }
};
await endOf(warm);
const before = process.resourceUsage();
const end = await endOf(folder);
const after = process.resourceUsage();
const ms = (after.userCPUTime - before.userCPUTime) / 1000;
console.log(JSON.stringify({ end, ms: Math.round(ms), grownMb: Math.round((after.maxRSS - before.maxRSS) / 1024) }));
