/** The pages of the guides, unchanged, built and run in Chromium. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ElementHandle, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { build } from 'vite';
import { buildPackage } from '../built-package.ts';
import { textOf } from '../house/sources.ts';
import { createReader } from '../readme/reader.ts';
import type { Reader } from '../readme/reader.ts';
import { samplesOf } from '../readme/samples.ts';
import type { Sample } from '../readme/samples.ts';
import { drivenOf, isMissing } from './browsers.ts';
import { POLLING } from './example-site.ts';
import { useBrowserWith } from './use-browser.ts';
import { serveFolder } from './serve-folder.ts';

/** Enough for a build and several visits on a busy machine. */
const TIMEOUT_MS = 240_000;

const guide = (name: string): Sample[] => samplesOf(textOf(`docs/guides/${name}.md`));

describe.skipIf(isMissing('chromium'))('the pages of the guides (need chromium)', { timeout: TIMEOUT_MS }, () => {
  const browser = useBrowserWith('chromium', drivenOf);
  let built: string;
  beforeAll(async () => {
    built = await buildPackage('guides-pages');
  }, TIMEOUT_MS);

  const readers: Reader[] = [];
  afterAll(() => Promise.all(readers.map((reader) => reader.remove())));

  /** Writes the files of a guide into an empty folder, and returns its reader. */
  const read = async (samples: readonly Sample[], packages: readonly string[] = []): Promise<Reader> => {
    const reader = await createReader(built, packages);
    readers.push(reader);
    for (const sample of samples) {
      if (sample.kind === 'file') {
        await writeFile(join(reader.folder, sample.name), sample.code);
      }
    }
    return reader;
  };

  /** Serves the folder `dist` of a reader, and returns a function that opens its page. */
  const serve = async ({ folder }: Reader): Promise<() => Promise<Page>> => {
    const app = await serveFolder(join(folder, 'dist'));
    onTestFinished(() => app.close());
    return async () => {
      const page = await browser().newPage();
      page.setDefaultTimeout(60_000);
      await page.goto(app.url);
      return page;
    };
  };

  const buildAndServe = async (name: string): Promise<() => Promise<Page>> => {
    const reader = await read(guide(name));
    await build({ root: reader.folder, logLevel: 'error' });
    return serve(reader);
  };

  const sees = (page: Page, selector: string, text: string): Promise<unknown> =>
    page.waitForFunction(
      (where: string, what: string) => document.querySelector(where)?.textContent.includes(what),
      POLLING,
      selector,
      text,
    );

  test('keep an account: an imported CAR exists at the next visit', async () => {
    const [writer] = guide('view-a-car');
    const reader = await read([]);
    await reader.run(writer!);
    const car = join(reader.folder, 'alice.car');

    const open = await buildAndServe('keep-an-account-in-a-browser');
    const first = await open();
    await sees(first, '[role=status]', 'Choose a CAR');
    const input = (await first.$('input')) as ElementHandle<HTMLInputElement>;
    await input.uploadFile(car);
    await sees(first, '[role=status]', 'did:web:alice.example.com: 4 records in opfs');
    await sees(first, 'li', 'Three');
    await first.close();

    const second = await open();
    await sees(second, '[role=status]', '4 records');
    await second.close();
  });

  test('several tabs: a note of one tab appears in the other', async () => {
    const open = await buildAndServe('several-tabs');
    const [one, other] = [await open(), await open()];
    await one.type('input', 'from the first tab');
    await one.evaluate(() => document.querySelector('form')!.requestSubmit());
    await sees(other, 'ul', 'from the first tab');
    // Closes the tab that has the files.
    await one.close();
    await other.type('input', 'from the second tab');
    await other.evaluate(() => document.querySelector('form')!.requestSubmit());
    await sees(other, 'ul', 'from the second tab');
    expect(await other.$$eval('li', (items) => items.length)).toBe(2);
    await other.close();
  });

  test('bundlers: a page that esbuild builds', async () => {
    const samples = guide('bundlers');
    const reader = await read(samples, ['esbuild']);
    await reader.run(samples.find((sample) => sample.kind === 'file' && sample.command !== undefined)!);
    const open = await serve(reader);
    const page = await open();
    await sees(page, '[role=status]', '1 records');
    await page.close();
  });
});
