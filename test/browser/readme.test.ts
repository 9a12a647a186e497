/** The page of README.md, unchanged, with Vite: the second visit finds the data of the first. */
import { cp, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, createServer } from 'vite';
import { buildPackage } from '../built-package.ts';
import { createReader } from '../readme/reader.ts';
import type { Reader } from '../readme/reader.ts';
import { pageSamples, terminalSamples } from '../readme/samples.ts';
import { drivenOf, isMissing } from './browsers.ts';
import { useBrowserWith } from './use-browser.ts';
import { serveFolder } from './serve-folder.ts';
import type { App } from './serve-folder.ts';

/** Enough for a build and several visits on a busy machine. */
const TIMEOUT_MS = 240_000;

/** Serves the folder as `npx vite` does. */
const serveWithVite = async (root: string): Promise<App> => {
  const server = await createServer({
    root,
    logLevel: 'error',
    // The package is linked into the folder, and the server serves no other folder.
    server: { port: 0, host: '127.0.0.1', fs: { strict: false }, hmr: false },
  });
  await server.listen();
  const { port } = server.httpServer!.address() as AddressInfo;
  // The imports of the worker are bundled at its first load, and ready at the next visit.
  return { url: `http://127.0.0.1:${port}/`, visits: 4, close: () => server.close() };
};

/** Builds the folder as `npx vite build` does, and puts the CAR beside the page, as the owner of a site does. */
const buildSite = async (root: string): Promise<void> => {
  await build({ root, logLevel: 'error' });
  await cp(join(root, 'alice.car'), join(root, 'dist', 'alice.car'));
};

interface Way {
  /** Runs before each visit. */
  readonly prepare: (root: string) => Promise<void>;
  readonly serve: (root: string) => Promise<App>;
}

const WAYS: Readonly<Record<string, Way>> = {
  'npx vite': { prepare: async () => undefined, serve: serveWithVite },
  'npx vite build': { prepare: buildSite, serve: (root) => serveFolder(join(root, 'dist')) },
};

describe.skipIf(isMissing('chromium'))('the page of README.md (needs chromium)', { timeout: TIMEOUT_MS }, () => {
  const browser = useBrowserWith('chromium', drivenOf);
  let reader: Reader | undefined;
  beforeAll(async () => {
    reader = await createReader(await buildPackage('readme-page'));
    for (const { name, code } of pageSamples) {
      await writeFile(join(reader!.folder, name), code);
    }
  }, TIMEOUT_MS);
  afterAll(() => reader?.remove());

  /** Visits the page until it has printed its last line, and returns all that it printed. */
  const visit = async (page: Page, { url, visits = 1 }: App): Promise<readonly string[]> => {
    let printed: string[] = [];
    const isDone = (): boolean => printed.some((line) => /^(opfs|indexeddb)/i.test(line));
    page.on('console', (message) => printed.push(message.text()));
    page.on('pageerror', (error) => printed.push(String(error)));
    for (let left = visits; left > 0 && !isDone(); left--) {
      printed = [];
      await page.goto(url);
      for (let end = Date.now() + (left > 1 ? 15_000 : 60_000); !isDone() && Date.now() < end; ) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    if (!isDone()) {
      throw new Error(`the page does not reach its end:\n${printed.join('\n')}`);
    }
    return printed;
  };

  test('consists of four files', () => {
    expect(pageSamples.map(({ name }) => name)).toEqual(['index.html', 'vite.config.js', 'repo-worker.ts', 'main.ts']);
  });

  test.each(Object.entries(WAYS))('runs twice with %s', async (_name, { prepare, serve }) => {
    const [writer] = terminalSamples;
    let app: App | undefined;
    try {
      for (const round of [1, 2]) {
        // Each run of the first sample writes a CAR with one more post.
        await reader!.run(writer!);
        await prepare(reader!.folder);
        app ??= await serve(reader!.folder);
        const page = await browser().newPage();
        const printed = await visit(page, app);
        await page.close();
        expect(printed.filter((line) => /error/i.test(line))).toEqual([]);
        if (round === 2) {
          // One post is new, so the repository of the first visit was opened.
          expect(printed).toContain('1 created, 0 updated, 0 deleted');
        }
      }
    } finally {
      await app?.close();
    }
  });
});
