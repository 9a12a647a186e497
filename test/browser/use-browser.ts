/**
 * A browser for the tests of a `describe`.
 *
 * With PDSDB_SHARE_BROWSERS (vite.config.ts), it continues to run for the next test files of the same process, because
 * a start of Firefox takes 6 s of processor time. Each test site has a new address, and so an origin without data.
 */
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach } from 'vitest';
import { makeProfile, startBrowser } from './browsers.ts';
import type { BrowserName, StartOptions, TestBrowser } from './browsers.ts';
import { SHARED_BROWSERS } from './close-browsers.ts';

interface Running {
  readonly profile: string;
  readonly browser: TestBrowser;
  readonly remove: () => Promise<void>;
}

export interface BrowserOptions extends Pick<StartOptions, 'prefs'> {
  /** Whether the browser must not be shared with other files. One with preferences is not. */
  readonly isAlone?: boolean;
}

const isSharing = process.env['PDSDB_SHARE_BROWSERS'] !== undefined;
/** The browsers without preferences that run in this process. */
const shared = new Map<BrowserName, Running>();

const start = async (name: BrowserName, prefs: StartOptions['prefs']): Promise<Running> => {
  const { profile, remove } = await makeProfile();
  try {
    const browser = await startBrowser(name, { profile, prefs });
    return { profile, browser, remove };
  } catch (error) {
    await remove();
    throw error;
  }
};

const stop = async ({ browser, remove }: Running): Promise<void> => {
  await browser.close();
  await remove();
};

/** Returns the shared browser, which runs. The end of all tests ends it, by the note of its process. */
const startShared = async (name: BrowserName): Promise<Running> => {
  const found = shared.get(name);
  if (found?.browser.isRunning() === true) {
    return found;
  }
  shared.delete(name);
  await found?.remove();
  const running = await start(name, undefined);
  await mkdir(SHARED_BROWSERS, { recursive: true });
  writeFileSync(join(SHARED_BROWSERS, String(running.browser.pid)), running.profile);
  shared.set(name, running);
  return running;
};

/**
 * A browser without data of the test's sites, and the result of `open` in it. All tests of the `describe` share it. A
 * browser that has crashed fails the running test; the next test gets a new one.
 */
export const useBrowserWith = <T>(
  name: BrowserName,
  open: (browser: TestBrowser) => Promise<T> | T,
  { prefs, isAlone = prefs !== undefined }: BrowserOptions = {},
): (() => T) => {
  const isShared = isSharing && !isAlone;
  let running: (Running & { readonly opened: T }) | undefined;
  let closePages = async (): Promise<void> => {};
  const end = async (): Promise<void> => {
    const last = running;
    running = undefined;
    if (last !== undefined && !isShared) {
      await stop(last);
    }
  };
  beforeEach(async () => {
    if (running?.browser.isRunning() === true) {
      return;
    }
    await end();
    const started = isShared ? await startShared(name) : await start(name, prefs);
    try {
      closePages = await started.browser.watchPages();
      running = { ...started, opened: await open(started.browser) };
    } catch (error) {
      shared.delete(name);
      await started.browser.kill();
      await started.remove();
      throw error;
    }
  });
  afterAll(async () => {
    if (isShared && running?.browser.isRunning() === true) {
      await closePages();
    }
    await end();
  });
  return () => running!.opened;
};
