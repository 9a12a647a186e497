/** Ends the browsers that test files have shared, after all tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../house/sources.ts';

/** Has a file per browser: its name is the number of the process, and its content the folder of the profile. */
export const SHARED_BROWSERS: string = join(root, 'out', 'test', 'browsers');

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    // No test has started a browser.
    return [];
  }
};

/** Runs after all tests of the project. */
export const teardown = async (): Promise<void> => {
  for (const pid of namesIn(SHARED_BROWSERS)) {
    const profile = readFileSync(join(SHARED_BROWSERS, pid), 'utf8');
    try {
      // The process group, because renderers and helpers are separate processes.
      process.kill(-Number(pid), 'SIGKILL');
    } catch {
      // It has ended.
    }
    await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  await rm(SHARED_BROWSERS, { recursive: true, force: true });
};
