/**
 * An example as a visitor gets it: built by Vite with the published package, served from files, in a real
 * browser.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ElementHandle, Page } from 'puppeteer-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { buildOnce } from '../build-once.ts';
import { buildPackage } from '../built-package.ts';
import { root } from '../house/sources.ts';
import { drivenOf } from './browsers.ts';
import type { BrowserName } from './browsers.ts';
import { useBrowserWith } from './use-browser.ts';
import { bodyOf } from './site.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

export interface ExampleSite {
  /** `localhost`, so that it counts as secure. */
  readonly url: string;
  /** Serves a file at a path. */
  give(path: string, bytes: Uint8Array): void;
  /** Waits for a file that the page saves, and returns its bytes. */
  saved(): Promise<Buffer>;
  /** Stops the server. */
  stop(): Promise<void>;
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

const serve = async (folder: string): Promise<ExampleSite> => {
  const given = new Map<string, Uint8Array>();
  const arrived: Buffer[] = [];
  let onArrival = (): void => {};
  const server = createServer((request, response) => {
    const work = async (): Promise<void> => {
      const { pathname } = new URL(request.url!, 'http://localhost');
      if (request.method === 'POST') {
        arrived.push(await bodyOf(request));
        response.end();
        onArrival();
        return;
      }
      const file = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
      const bytes = given.get(pathname) ?? (await readFile(join(folder, file)));
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(bytes);
    };
    work().catch(() => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    give: (path, bytes) => given.set(path, bytes),
    async saved() {
      if (arrived.length === 0) {
        await new Promise<void>((resolve) => (onArrival = resolve));
      }
      return arrived.shift()!;
    },
    stop: () => close(server),
  };
};

/** Builds an example with Vite and the published package, and returns the folder of the site. */
const buildExample = (name: string): Promise<string> =>
  buildOnce(`example-${name}`, ['src', 'examples'], async (outDir) => {
    const folder = await buildPackage(`example-${basename(outDir)}`);
    await cp(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
    // With its command, because inside a test Vite would build for development.
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
    const args = [vite, 'build', join(folder, 'examples', name), '--outDir', outDir, '--logLevel', 'error'];
    await promisify(execFile)(process.execPath, args, { env: { ...process.env, NODE_ENV: 'production' } });
  });

/** The example, built once for all test files. Each call serves it at a new address, without stored data. */
export const useExample = (name: string): (() => Promise<ExampleSite>) => {
  let outDir = '';
  const sites: ExampleSite[] = [];
  beforeAll(async () => {
    outDir = await buildExample(name);
  }, 180_000);
  afterAll(() => Promise.all(sites.map((site) => site.stop())));
  return async () => {
    const site = await serve(outDir);
    sites.push(site);
    return site;
  };
};

/** Polls with a timer, because a page in the background draws no frames. */
export const POLLING: { readonly polling: number } = { polling: 100 };

/** Errors of a page, from its console and its policy. */
export interface VisitedPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** Passes saved files to the test, because the browsers have no dialog here. */
const catchDownloads = (): void => {
  delete (window as { showSaveFilePicker?: unknown }).showSaveFilePicker;
  const blobs = new Map<string, Blob>();
  const make = URL.createObjectURL.bind(URL);
  URL.createObjectURL = (source: Blob) => {
    const url = make(source);
    blobs.set(url, source);
    return url;
  };
  HTMLAnchorElement.prototype.click = function (this: HTMLAnchorElement) {
    void fetch(`saved?name=${this.download}`, { method: 'POST', body: blobs.get(this.href) ?? null });
  };
};

/** Lists each notice of the page, because a notice vanishes by a timer, which may be before a test looks. */
const listNotices = (): void => {
  const notices: string[] = [];
  let shown = '';
  new MutationObserver(() => {
    const text = document.querySelector('#toast')?.textContent ?? '';
    if (text !== shown && text !== '') {
      notices.push(text);
    }
    shown = text;
  }).observe(document, { childList: true, subtree: true });
  Object.assign(globalThis, { notices });
};

/** Pages of a browser, for all tests of the `describe`. */
export const useVisitor = (name: BrowserName): ((url: string) => Promise<VisitedPage>) => {
  const browser = useBrowserWith(name, drivenOf);
  return async (url) => {
    const page = await browser().newPage();
    // A failed test does not close its pages.
    onTestFinished(async () => {
      if (!page.isClosed()) {
        await page.close();
      }
    });
    page.setDefaultTimeout(60_000);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') {
        complaints.push(message.text());
      }
    });
    await page.setViewport({ width: 1280, height: 800 });
    await page.evaluateOnNewDocument(catchDownloads);
    await page.evaluateOnNewDocument(listNotices);
    await page.goto(url);
    return { page, complaints };
  };
};

/** Returns the button or link with this name, or else the first whose name begins with it. */
export const find = async (page: Page, label: string): Promise<ElementHandle<HTMLElement>> => {
  const findNow = (name: string): HTMLElement | undefined => {
    const all = [...document.querySelectorAll<HTMLElement>('button, a')].filter((one) => one.checkVisibility());
    const nameOf = (one: HTMLElement): string => one.ariaLabel ?? one.textContent;
    return all.find((one) => nameOf(one) === name) ?? all.find((one) => nameOf(one).startsWith(name));
  };
  return (await page.waitForFunction(findNow, POLLING, label)) as unknown as ElementHandle<HTMLElement>;
};

/** Clicks an element, even if the page has removed it, as it does with a notice after some seconds. */
export const pressFound = async (found: ElementHandle<HTMLElement>): Promise<void> => {
  // Not with the mouse, because a notice may cover the button.
  await found.evaluate((one) => HTMLElement.prototype.click.call(one));
};

/**
 * Clicks the button or link with this name. It is found and clicked in one step, because the page may
 * replace it in between, and the click would be lost.
 */
export const press = async (page: Page, label: string): Promise<void> => {
  await page.waitForFunction(
    (name: string) => {
      const all = [...document.querySelectorAll<HTMLElement>('button, a')].filter((one) => one.checkVisibility());
      const nameOf = (one: HTMLElement): string => one.ariaLabel ?? one.textContent;
      const found = all.find((one) => nameOf(one) === name) ?? all.find((one) => nameOf(one).startsWith(name));
      if (found !== undefined) {
        HTMLElement.prototype.click.call(found);
      }
      return found !== undefined;
    },
    POLLING,
    label,
  );
};

/** Waits until the page shows a text. */
export const sees = async (page: Page, text: string): Promise<void> => {
  await page.waitForFunction((wanted) => document.body.innerText.includes(wanted), POLLING, text);
};

/**
 * Waits until the page has shown a notice with this text: since it was loaded, or since the notice that the last call
 * has waited for.
 */
export const seesNotice = async (page: Page, text: string): Promise<void> => {
  await page.waitForFunction(
    (wanted) => {
      const { notices } = globalThis as unknown as { notices: string[] };
      const index = notices.findIndex((notice) => notice.includes(wanted));
      notices.splice(0, index + 1);
      return index >= 0;
    },
    POLLING,
    text,
  );
};

/** Returns an empty folder for files that a page reads. It stays until the test ends, because a page reads late. */
export const folderForFiles = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'pdsdb-page-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
};

/** Returns the texts of all elements that match a selector. */
export const textsOf = (page: Page, selector: string): Promise<string[]> =>
  page.$$eval(selector, (found) => found.map((one) => (one as HTMLElement).innerText));
