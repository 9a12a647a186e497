/** A browser for the tests of a `describe`, which each try of a test can rely on. */
import { afterAll, beforeEach } from 'vitest';
import { makeProfile, startBrowser } from './browsers.ts';
import type { BrowserName, StartOptions, TestBrowser } from './browsers.ts';

interface Running<T> {
  readonly browser: TestBrowser;
  readonly remove: () => Promise<void>;
  readonly opened: T;
}

const start = async <T>(
  name: BrowserName,
  open: (browser: TestBrowser) => Promise<T> | T,
  prefs: StartOptions['prefs'],
): Promise<Running<T>> => {
  const { profile, remove } = await makeProfile();
  let browser: TestBrowser | undefined;
  try {
    browser = await startBrowser(name, { profile, prefs });
    return { browser, remove, opened: await open(browser) };
  } catch (error) {
    await browser?.kill();
    await remove();
    throw error;
  }
};

/**
 * A browser with a fresh profile, and what `open` opens in it. All tests share it, but one that is tried again gets
 * another one: it finds nothing of its first try, and nothing that still runs from there. So does one that comes after
 * a browser has ended by itself.
 */
export const useFreshBrowser = <T>(
  name: BrowserName,
  open: (browser: TestBrowser) => Promise<T> | T,
  prefs: StartOptions['prefs'] = {},
): (() => T) => {
  let running: Running<T> | undefined;
  const end = async (): Promise<void> => {
    const last = running;
    running = undefined;
    await last?.browser.close();
    await last?.remove();
  };
  beforeEach(async ({ task }) => {
    const isTriedAgain = (task.result?.retryCount ?? 0) > 0;
    if (isTriedAgain || running?.browser.isRunning() !== true) {
      await end();
      running = await start(name, open, prefs);
    }
  });
  afterAll(end);
  return () => running!.opened;
};
