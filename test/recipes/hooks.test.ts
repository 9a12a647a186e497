/** The hooks of docs/records.md, each in its framework. */
import { createRequire } from 'node:module';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { Repo } from '../../src/core/repo/repo.ts';
import { DID, POST, post } from '../../src/testing/repo/harness.ts';
import { PlayedBrowser } from '../adapters/rpc/tabs.ts';
import { root } from '../house/sources.ts';
import { RECIPES, isRecipesMissing, recipesWith } from './recipes.ts';

const OUT = join(root, 'out', 'test', 'recipes');
const OPTIONS = '{ reverse: true, limit: 2 }';

/** Shows the texts of the two newest posts in an element, and returns a function that removes them. */
type Mount = (repo: Repo, element: { textContent: string | null }) => () => void;

const APPS: readonly (readonly [name: string, imported: string, app: string])[] = [
  [
    'React',
    'react',
    `import { createElement } from 'react';
     import { createRoot } from 'react-dom/client';
     export const mount = (repo, element) => {
       const App = () => useRecords(repo, '${POST}', ${OPTIONS}).map(({ value }) => value.text).join(' ');
       const root = createRoot(element);
       root.render(createElement(App));
       return () => root.unmount();
     };`,
  ],
  [
    'Solid',
    'solid-js',
    `import { createEffect, createRoot } from 'solid-js';
     export const mount = (repo, element) => createRoot((dispose) => {
       const records = createRecords(repo, '${POST}', ${OPTIONS});
       createEffect(() => { element.textContent = records().map(({ value }) => value.text).join(' '); });
       return dispose;
     });`,
  ],
  [
    'Svelte',
    'svelte/store',
    `export const mount = (repo, element) => recordsOf(repo, '${POST}', ${OPTIONS}).subscribe((records) => {
       element.textContent = records.map(({ value }) => value.text).join(' ');
     });`,
  ],
];

describe.skipIf(isRecipesMissing)('a hook (needs test/recipes)', () => {
  beforeAll(async () => {
    await mkdir(OUT, { recursive: true });
    const { JSDOM } = createRequire(join(RECIPES, 'x.js'))('jsdom') as {
      JSDOM: new (html: string) => { window: Window & typeof globalThis };
    };
    const { window } = new JSDOM('<!doctype html><body></body>');
    vi.stubGlobal('window', window);
    vi.stubGlobal('document', window.document);
    return () => vi.unstubAllGlobals();
  });

  test.each(APPS)('for %s shows the writes of another tab, and ends', async (name, imported, app) => {
    const [hook] = recipesWith('js', imported);
    // Five lines, without the import and closing brackets.
    expect(hook).toBeDefined();
    const outfile = join(OUT, `${name}.mjs`);
    const { outputFiles } = await build({
      stdin: { contents: `${hook}\n${app}`, resolveDir: RECIPES, loader: 'js' },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      define: { 'process.env.NODE_ENV': '"production"' },
      write: false,
      logLevel: 'error',
    });
    await writeFile(outfile, outputFiles[0]!.text);
    const { mount } = (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as { readonly mount: Mount };

    const browser = new PlayedBrowser();
    const repo = await browser.tab().open('repo', { did: DID });
    const other = await browser.tab().open('repo');
    await other.create(POST, post('one'));
    const element = document.createElement('p');
    const unmount = mount(repo, element);
    await vi.waitFor(() => expect(element.textContent).toBe('one'));
    await other.create(POST, post('two'));
    await vi.waitFor(() => expect(element.textContent).toBe('two one'));
    let subscribed = 0;
    const before = element.textContent;
    unmount();
    await other.create(POST, post('three'));
    repo.onChange(() => (subscribed += 1));
    await other.create(POST, post('four'));
    await vi.waitFor(() => expect(subscribed).toBe(1));
    // React has emptied the element.
    expect([before, '']).toContain(element.textContent);
    await other.close();
    await repo.close();
  });
});
