/** Profiles of Firefox. */
import { cp, readdir } from 'node:fs/promises';
import { buildOnce } from '../build-once.ts';

/**
 * Fills an empty folder with a profile that has no data of any site. A start with it takes 5 s of processor time. One
 * with an empty folder takes 8 s, because Firefox then compiles its own scripts.
 * @param visit Starts Firefox with an empty folder, and closes it. It is called once for all test files.
 */
export const fillFirefoxProfile = async (profile: string, visit: (profile: string) => Promise<void>): Promise<void> => {
  if ((await readdir(profile)).length > 0) {
    return;
  }
  const used = await buildOnce('firefox-profile', ['test/browser/firefox-profile.ts'], visit);
  await cp(used, profile, { recursive: true, filter: (path) => !/\/(lock|\.parentlock)$/.test(path) });
};
