/** Finds, starts, controls and ends real browsers. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch } from 'puppeteer-core';
import type { Browser } from 'puppeteer-core';
import type { CommandName } from './commands.ts';
import { fillFirefoxProfile } from './firefox-profile.ts';
import { startWebkit } from './webkit.ts';

export const BROWSERS = ['chromium', 'firefox', 'webkit'] as const;
export type BrowserName = (typeof BROWSERS)[number];

/** The paths of the programs, in order of preference. */
const PROGRAMS: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  firefox: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
  webkit: ['/usr/bin/WebKitWebDriver'],
};

const required = (process.env['PDSDB_REQUIRE'] ?? '').split(',');

export const programOf = (name: BrowserName): string | undefined => PROGRAMS[name].find((path) => existsSync(path));

/** Whether tests in a browser are skipped: it is not installed, and PDSDB_REQUIRE does not contain it. */
export const isMissing = (name: BrowserName): boolean => programOf(name) === undefined && !required.includes(name);

/** A page of the test site. */
export interface TestPage {
  /** Runs a command on the main thread of the page, or in its module worker. */
  run<T = unknown>(where: 'page' | 'worker', command: CommandName, args?: unknown): Promise<T>;
}

export interface TestBrowser {
  /** The process that leads the group of its processes. */
  readonly pid: number;
  /** Returns a function that closes the pages that are opened from now on. */
  watchPages(): Promise<() => Promise<void>>;
  open(url: string): Promise<TestPage>;
  /** Kills all its processes, as a crash does. The profile stays. */
  kill(): Promise<void>;
  /** Whether its process runs and responds to the test. */
  isRunning(): boolean;
  /** Limits the storage of an origin, in bytes. Firefox has a preference for that. */
  setQuota?(origin: string, bytes: number): Promise<void>;
  /** Closes it, or kills it if it does not close. */
  close(): Promise<void>;
}

/** The browser in puppeteer, for its other features. Missing for WebKitGTK. */
export const drivenOf = (browser: TestBrowser): Browser => {
  if (!(browser instanceof PuppeteerBrowser)) {
    throw new TypeError('puppeteer does not drive this browser');
  }
  return browser.browser;
};

export interface StartOptions {
  /** The folder of the profile. */
  readonly profile: string;
  /** Preferences of Firefox. */
  readonly prefs?: Readonly<Record<string, unknown>> | undefined;
}

/** Returns a folder for a profile, and a function that removes it. */
export const makeProfile = async (): Promise<{ profile: string; remove: () => Promise<void> }> => {
  const profile = await mkdtemp(join(tmpdir(), 'pdsdb-browser-'));
  return { profile, remove: () => rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }) };
};

/** Long, for a busy machine. */
const START_MS = 60_000;
/** A browser that has not ended after this time is stuck. */
const CLOSE_MS = 10_000;

const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What a test needs of Firefox, without a third of the processor time of its start. */
const FIREFOX_PREFS: Readonly<Record<string, unknown>> = {
  // No processes for pages that may be opened later.
  'dom.ipc.processPrelaunch.enabled': false,
  'browser.newtabpage.enabled': false,
  'accessibility.force_disabled': 1,
  'media.gmp-manager.updateEnabled': false,
  'media.gmp-provider.enabled': false,
  'extensions.enabledScopes': 0,
  'extensions.systemAddon.update.enabled': false,
};

/** A browser sometimes fails to start: its port or its display is in use, or its debugger does not respond. */
const MOST_STARTS = 3;

/** Starts a browser. Only this start is retried, never a step of a test. */
export const startBrowser = async (name: BrowserName, options: StartOptions): Promise<TestBrowser> => {
  const executablePath = programOf(name);
  if (executablePath === undefined) {
    throw new Error(`${name} is required and not here; looked for ${PROGRAMS[name].join(', ')}`);
  }
  for (let start = 1; ; start++) {
    try {
      return await startOnce(name, executablePath, options);
    } catch (error) {
      if (start === MOST_STARTS) {
        throw error;
      }
      console.log(`${name} did not start, and is started again: ${String(error)}`);
    }
  }
};

const startOnce = async (name: BrowserName, executablePath: string, options: StartOptions): Promise<TestBrowser> => {
  if (name === 'webkit') {
    return startWebkit(executablePath, options.profile);
  }
  if (name === 'chromium') {
    return new Chromium(await startPuppeteer(name, executablePath, options));
  }
  await fillFirefoxProfile(options.profile, async (profile) => {
    // The first start finds its extensions, and the second one compiles their scripts.
    for (let start = 0; start < 2; start++) {
      const browser = await startPuppeteer(name, executablePath, { profile });
      await (await browser.newPage()).goto('about:blank');
      await browser.close();
    }
  });
  return new Firefox(await startPuppeteer(name, executablePath, options), options.profile);
};

const startPuppeteer = (
  name: 'chromium' | 'firefox',
  executablePath: string,
  { profile, prefs }: StartOptions,
): Promise<Browser> =>
  launch({
    browser: name === 'chromium' ? 'chrome' : 'firefox',
    executablePath,
    headless: true,
    userDataDir: profile,
    args: name === 'chromium' ? CHROMIUM_FLAGS : [],
    extraPrefsFirefox: { ...FIREFOX_PREFS, ...prefs },
    // The tests end it.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    timeout: START_MS,
    protocolTimeout: 600_000,
  });

/** Rejects if the work takes longer. */
const within = async (ms: number, work: Promise<unknown>): Promise<void> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('it does not end')), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

class PuppeteerBrowser implements TestBrowser {
  readonly browser: Browser;

  constructor(browser: Browser) {
    this.browser = browser;
  }

  get pid(): number {
    return this.browser.process()!.pid!;
  }

  async watchPages(): Promise<() => Promise<void>> {
    const before = new Set(await this.browser.pages());
    return async () => {
      const later = (await this.browser.pages()).filter((page) => !before.has(page));
      await within(CLOSE_MS, Promise.all(later.map((page) => page.close()))).catch(() => this.kill());
    };
  }

  async open(url: string): Promise<TestPage> {
    const page = await this.browser.newPage();
    page.setDefaultTimeout(START_MS);
    await page.goto(url);
    await page.waitForFunction(() => 'runInBrowser' in globalThis);
    return {
      async run<T>(where: 'page' | 'worker', command: CommandName, args: unknown = {}) {
        const result = await page.evaluate(
          (...all) => globalThis.runInBrowser(...all),
          where,
          command,
          JSON.stringify(args),
        );
        return JSON.parse(result) as T;
      },
    };
  }

  async kill(): Promise<void> {
    const child = this.browser.process()!;
    if (child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const gone = new Promise((resolve) => child.once('exit', resolve));
    // The process group, because renderers and helpers are separate processes.
    process.kill(-child.pid!, 'SIGKILL');
    await gone;
  }

  isRunning(): boolean {
    return this.browser.connected;
  }

  async close(): Promise<void> {
    // If it cannot be closed because it has already ended, nothing is left to do.
    await within(CLOSE_MS, this.browser.close()).catch(() => this.kill());
  }
}

class Chromium extends PuppeteerBrowser {
  async setQuota(origin: string, quotaSize: number): Promise<void> {
    const [page] = await this.browser.pages();
    const session = await page!.createCDPSession();
    // It is valid during the session.
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
  }
}

class Firefox extends PuppeteerBrowser {
  readonly #profile: string;

  constructor(browser: Browser, profile: string) {
    super(browser);
    this.#profile = profile;
  }

  /**
   * Also waits until puppeteer has restored the profile's preferences, because the next start would run into
   * middle.
   */
  override async kill(): Promise<void> {
    await super.kill();
    const backups = ['user.js.puppeteer', 'prefs.js.puppeteer'].map((name) => join(this.#profile, name));
    for (let left = 50; left > 0 && backups.some((path) => existsSync(path)); left--) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // Preferences that puppeteer has not restored are not needed.
    await Promise.all([...backups, join(this.#profile, 'user.js')].map((path) => rm(path, { force: true })));
  }
}
