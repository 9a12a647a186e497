/** The pages of the site in Chromium: axe-core finds no violation, in light and in dark colors. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAxeMissing, violationsOf } from '../browser/axe.ts';
import { drivenOf, isMissing } from '../browser/browsers.ts';
import { POLLING } from '../browser/example-site.ts';
import { useBrowserWith } from '../browser/use-browser.ts';
import { serveFolder } from '../browser/serve-folder.ts';
import type { App } from '../browser/serve-folder.ts';
import { filesBelow } from '../house/sources.ts';
import { SITE, htmlFiles, htmlOf, isSiteMissing, resolveTarget, targetsOf } from './built-site.ts';

/** TypeDoc writes pages of one form for each kind of symbol. The test visits one page of each kind. */
const API_PAGES = [
  'api/index.html',
  'api/node/index.html',
  'api/index/classes/RepoError.html',
  'api/index/functions/openCar.html',
  'api/index/interfaces/Repo.html',
  'api/index/type-aliases/RepoErrorCode.html',
  'api/index/variables/MAX_CAR_SIZE.html',
];

/** Pages that are checked as a whole. In the others, the navigation is the same, and only the text is checked. */
const WHOLE_PAGES = [...API_PAGES, '404.html', 'index.html', 'records.html', 'guides/keys.html'];

const isNeedMissing = isSiteMissing || isAxeMissing || isMissing('chromium');

describe.skipIf(isSiteMissing)('the contents of the site (need npm run docs:build)', () => {
  const written = htmlFiles().filter((path) => !/^(api|viewer|notes)\/|^404/.test(path));

  test('have every page', () => {
    const sources = filesBelow('docs').filter((path) => path.endsWith('.md'));
    expect(written).toEqual(sources.map((path) => path.replace(/^docs\/|md$/g, '').concat('html')).sort());
  });

  test('name every page in the sidebar', () => {
    const listed = targetsOf(htmlOf('records.html')).map((target) => resolveTarget('records.html', target)?.file);
    expect(written.filter((path) => !listed.includes(path) && path !== 'index.html')).toEqual([]);
  });
});

describe.skipIf(isNeedMissing)('axe-core (needs npm run docs:build, chromium and axe-core)', () => {
  // One page for all addresses: a new one has to start a process, and to load the scripts again.
  const page = useBrowserWith('chromium', (browser) => drivenOf(browser).newPage());
  let site: App;
  beforeAll(async () => {
    // VitePress has scripts in its pages, and the examples have WebAssembly.
    site = await serveFolder(SITE, { csp: "default-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' data: blob:" });
  });
  afterAll(() => site.close());

  test.each(['viewer', 'notes'])('the example %s starts', async (name) => {
    // Its page has its own policy.
    const errors: string[] = [];
    const note = (error: unknown): unknown => errors.push(String(error));
    page().on('pageerror', note);
    await page().goto(`${site.url}${name}/index.html`);
    await page().waitForFunction(() => document.querySelector('main')?.innerText.trim(), POLLING);
    page().off('pageerror', note);
    expect(errors).toEqual([]);
  });

  test('a text of low contrast is found among texts of the same color', async () => {
    const text = (background: string): string => `<p style="background: ${background}"><span>Some words</span></p>`;
    const texts = ['#000', '#000', '#000', '#000', '#555', '#000'].map(text).join('');
    await page().goto('about:blank');
    await page().setContent(`<main style="color: #888">${texts}</main>`);
    expect(await violationsOf(page(), { only: 'contrast' })).toEqual([
      expect.stringContaining('background color: #555555'),
    ]);
  });

  const pages = htmlFiles().filter((path) => !/^(api|viewer|notes)\//.test(path));

  test.each([...pages, ...API_PAGES])('finds no violation in %s', async (path) => {
    await page().setViewport({ width: 1280, height: 800 });
    // During a transition, the colors may have a low contrast.
    await page().emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
    await page().goto(join(site.url, path).replace(':/', '://'));
    await page().addStyleTag({ content: '* { transition: none !important; animation: none !important; }' });
    // Without the style sheet, the test would check the default colors of the browser.
    expect(await page().evaluate(() => getComputedStyle(document.body).fontFamily)).toContain('Inter');
    const found: string[] = await violationsOf(page(), WHOLE_PAGES.includes(path) ? {} : { within: '.VPDoc main' });
    await page().evaluate(() => document.documentElement.classList.add('dark'));
    found.push(...(await violationsOf(page(), { only: 'contrast' })).map((one) => `dark: ${one}`));
    expect(found).toEqual([]);
  });
});
