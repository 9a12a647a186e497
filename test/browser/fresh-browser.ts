/** A browser for the tests of a `describe`. */
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
 * A browser with a new profile, and the result of `open` in it. All tests of the `describe` share it. A browser that
 * has crashed fails the running test; the next test gets a new one.
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
  beforeEach(async () => {
    if (running?.browser.isRunning() !== true) {
      await end();
      running = await start(name, open, prefs);
    }
  });
  afterAll(end);
  return () => running!.opened;
};
