/** Pages over the entry points for browsers, on the test site. */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'puppeteer-core';
import { drivenOf } from './browsers.ts';
import type { TestBrowser } from './browsers.ts';
import { processesOf } from './processes.ts';
import type { Site } from './site.ts';
import type { TabCommand } from './tab-page.ts';

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>tab</title><link rel="icon" href="data:,"><script type="module" src="tab-page.js"></script>';
/** The strictest policy for a page with a database, without cross-origin isolation headers (COOP/COEP). */
export const STRICT_CSP = "script-src 'self' 'wasm-unsafe-eval'";

/** A page with the functions of `tab-page.ts`. */
export interface Tab {
  run<T = unknown>(command: TabCommand, args?: unknown): Promise<T>;
}

/** Adds the pages to the site. Returns a function that returns new acknowledgements. */
export const serveTabs = async (site: Site): Promise<{ acknowledged(): number[] }> => {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: [here('tab-page.ts'), here('tab-worker.ts')],
    bundle: true,
    format: 'esm',
    outdir: here('out'),
    platform: 'browser',
    target: 'es2022',
    write: false,
    external: ['fs', 'path', 'crypto', 'node:*'],
    logLevel: 'error',
  });
  const respond = (path: string, type: string, body: string): void =>
    site.on(path, (_request, response) => {
      response.writeHead(200, { 'content-type': type, 'content-security-policy': STRICT_CSP }).end(body);
    });
  respond('/tab', 'text/html', PAGE);
  respond('/broken-worker.js', 'text/javascript', 'this is no script');
  for (const { path, text } of outputFiles) {
    respond(`/${path.split('/').at(-1)}`, 'text/javascript', text);
  }
  let acks: number[] = [];
  site.on('/ack', (_request, response, url) => {
    acks.push(Number(url.searchParams.get('n')));
    response.end();
  });
  return {
    acknowledged() {
      const all = acks;
      acks = [];
      return all;
    },
  };
};

/** Opens a page, in any browser. */
export const openTab = async (browser: TestBrowser, site: Site): Promise<Tab> => {
  const page = await browser.open(`${site.url}tab`);
  return { run: (command, args) => page.run('page', command as never, args) };
};

/** A page that can be killed while the browser continues. */
export interface EndingTab extends Tab {
  close(): Promise<void>;
  /** Kills its process. Firefox must be started with `PROCESS_PER_TAB`. */
  crash(): Promise<void>;
  goTo(url: string): Promise<void>;
  /** Freezes it, as a page in the background. Chromium only. */
  setFrozen(isFrozen: boolean): Promise<void>;
}

/** Makes Firefox start one process per tab, so that the test knows which process to kill. */
export const PROCESS_PER_TAB: Readonly<Record<string, unknown>> = {
  'dom.ipc.processCount': 100,
  'dom.ipc.processPrelaunch.enabled': false,
};

/** Opens a page in a browser that puppeteer drives. */
export const openEndingTab = async (browser: TestBrowser, site: Site): Promise<EndingTab> => {
  const driven = drivenOf(browser);
  const before = new Set(await driven.pages());
  const others = new Set(contentProcesses(driven));
  const tab = await openTab(browser, site);
  const page = (await driven.pages()).find((one) => !before.has(one))!;
  const processes = contentProcesses(driven).filter((pid) => !others.has(pid));
  return {
    ...tab,
    close: () => page.close({ runBeforeUnload: false }),
    async goTo(url) {
      await page.goto(url);
    },
    crash: () => (isFirefox(driven) ? killProcess(page, processes) : crash(page)),
    async setFrozen(isFrozen) {
      const session = await page.createCDPSession();
      await session.send('Page.setWebLifecycleState', { state: isFrozen ? 'frozen' : 'active' });
      await session.detach();
    },
  };
};

const isFirefox = (driven: Browser): boolean => driven.process()!.spawnargs[0]!.includes('firefox');

/** The processes in which Firefox runs pages. */
const contentProcesses = (driven: Browser): number[] =>
  isFirefox(driven) ? processesOf(driven.process()!.pid!, 'Web Content') : [];

/** Crashes the process of a page of Chromium, and waits until the browser has noticed. */
const crash = async (page: Page): Promise<void> => {
  const session = await page.createCDPSession();
  const crashed = new Promise((resolve) => page.once('error', resolve));
  // The page has ended and cannot respond.
  session.send('Page.crash').catch(() => {});
  await crashed;
};

/** Kills the process of a page of Firefox, and waits until the page no longer responds. */
const killProcess = async (page: Page, processes: readonly number[]): Promise<void> => {
  const [pid, ...more] = processes;
  if (pid === undefined || more.length > 0) {
    throw new Error(`expected one process for the tab, found ${processes.length}`);
  }
  process.kill(pid, 'SIGKILL');
  while (await page.evaluate(() => true).catch(() => false)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
