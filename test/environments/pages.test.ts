/** An app for browsers that each bundler builds from the packed package. It runs in Chromium. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import type { Page } from 'puppeteer-core';
import { describe, expect } from 'vitest';
import { drivenOf, isMissing } from '../browser/browsers.ts';
import { useBrowserWith } from '../browser/use-browser.ts';
import { CSP, serveFolder } from '../browser/serve-folder.ts';
import type { ServeOptions } from '../browser/serve-folder.ts';
import { environmentTest as test } from './environment-test.ts';
import { APPS, TOOLS, emptyFolder, tool } from './places.ts';
import { runToEnd } from './run-program.ts';

const PAGE = join(APPS, 'page');
const HTML = '<!doctype html><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,">';
const WASM = join(TOOLS, 'node_modules', 'pdsdb', 'dist', 'wasm', 'sql-wasm.wasm');
/** Next.js and Parcel write scripts into their pages, and Turbopack makes workers from `blob:` URLs. */
const INLINE = "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:";

/**
 * A build of Next.js takes half a minute on two idle cores, and was still running after four minutes beside ten other
 * processes. Builds run one after the other, because Next.js locks its folder: a build that is left fails the next one.
 */
const TIMEOUT_MS = 900_000;

const writePage = (folder: string, script: string): Promise<void> =>
  writeFile(join(folder, 'index.html'), `${HTML}<script type="module" src="./${script}"></script>`);

const runScript = (script: string, ...args: readonly string[]): Promise<string> =>
  runToEnd(process.execPath, ['--input-type=module', '-e', script, ...args], { cwd: TOOLS });

const webpack = async (out: string): Promise<void> => {
  const script = `
    import webpack from 'webpack';
    const [context, path] = process.argv.slice(1);
    webpack({ context, mode: 'production', entry: './main.js', output: { path }, performance: false }, (error, stats) => {
      if (error || stats.hasErrors()) { console.error(error ?? stats.toString('errors-only')); process.exitCode = 1; }
    });
  `;
  await runScript(script, PAGE, out);
  await writePage(out, 'main.js');
};

const parcel = async (out: string): Promise<void> => {
  const flags = ['--no-cache', '--cache-dir', `${out}-cache`, '--no-source-maps', '--no-autoinstall'];
  const args = [tool('parcel'), 'build', join(PAGE, 'index.html'), '--dist-dir', out, ...flags];
  await runToEnd(process.execPath, args, { cwd: PAGE });
};

const next = async (out: string): Promise<void> => {
  const env = { NEXT_TELEMETRY_DISABLED: '1' };
  await runToEnd(process.execPath, [tool('next'), 'build', '--turbopack'], { cwd: join(PAGE, 'next'), env });
  await cp(join(PAGE, 'next', 'dist'), out, { recursive: true });
};

/** Bundlers that copy the worker and the wasm file themselves. */
const COPYING: Readonly<Record<string, readonly [build: (out: string) => Promise<void>, csp?: string]>> = {
  webpack: [webpack],
  Parcel: [parcel, INLINE],
  // By its default bundler, Turbopack. With webpack it takes twice as long, and webpack is above.
  'Next.js': [next, INLINE],
};

const rollup = (out: string): Promise<string> => {
  const script = `
    import { rollup } from 'rollup';
    import resolve from '@rollup/plugin-node-resolve';
    const [page, dir] = process.argv.slice(1);
    for (const name of ['main', 'repo-worker']) {
      const bundle = await rollup({ input: page + '/' + name + '.js', plugins: [resolve({ browser: true })] });
      await bundle.write({ dir, entryFileNames: '[name].js', codeSplitting: false });
    }
  `;
  return runScript(script, PAGE, out);
};

const withEsbuild = (names: readonly string[], outdir: string, wasm?: string): Promise<unknown> =>
  esbuild({
    entryPoints: names.map((name) => join(PAGE, `${name}.js`)),
    bundle: true,
    format: 'esm',
    outdir,
    logLevel: 'error',
    define: { WASM: wasm === undefined ? 'undefined' : JSON.stringify(wasm) },
  });

/** Bundlers that leave `new URL` unchanged, and copy neither the worker nor the wasm file. */
const LEAVING: Readonly<Record<string, (out: string) => Promise<unknown>>> = {
  Rollup: rollup,
  esbuild: (out) => withEsbuild(['main', 'repo-worker'], out),
};

/** Returns the result of the app, or its error. */
const outcomeOf = async (page: Page): Promise<string> => {
  await page.waitForFunction(() => 'outcome' in globalThis, { timeout: 60_000 });
  return page.evaluate(() => (globalThis as unknown as { outcome: Promise<string> }).outcome.catch(String));
};

describe.skipIf(isMissing('chromium'))('a page (needs chromium)', { timeout: TIMEOUT_MS }, () => {
  const browser = useBrowserWith('chromium', drivenOf);

  /** Each visit has a separate origin, so that it starts without stored data. */
  const visit = async (out: string, options?: ServeOptions, query = ''): Promise<string> => {
    const app = await serveFolder(out, options);
    const page = await browser().newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(String(error)));
    try {
      await page.goto(`${app.url}${query}`);
      return (await outcomeOf(page)).replaceAll(app.url, 'http://app/');
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${said.join('\n')}`, { cause: error });
    } finally {
      await page.close();
      await app.close();
    }
  };

  test.each(Object.entries(COPYING))('built by %s', async (name, [build, csp]) => {
    const out = await emptyFolder(`pages/${name.replace(/\W+/g, '-')}`);
    await build(out);
    expect(await visit(out, { csp })).toBe('hello');
  });

  test.each(Object.entries(LEAVING))(
    'built by %s: without the wasm file, names the file to copy and its target, and works with it',
    async (name, build) => {
      const out = await emptyFolder(`pages/${name}`);
      await build(join(out, 'js'));
      await writePage(out, 'js/main.js');
      const advice =
        'copy pdsdb/sql-wasm.wasm (node_modules/pdsdb/dist/wasm/sql-wasm.wasm) to http://app/wasm/sql-wasm.wasm, ' +
        'or pass its URL to serveRepos({ wasm }) or createPageWorker({ wasm })';
      expect(await visit(out)).toContain(`${advice}; the server sent 404`);
      // Development servers return the page for every unknown path.
      expect(await visit(out, { isFallingBack: true })).toContain(`${advice}; the server sent an HTML page`);
      await mkdir(join(out, 'wasm'));
      await cp(WASM, join(out, 'wasm', 'sql-wasm.wasm'));
      expect(await visit(out)).toBe('hello');
    },
  );

  test('with a worker from a blob: URL resolves URLs relative to the origin', async () => {
    const out = await emptyFolder('pages/blob');
    const csp = `${CSP} blob:`;
    await withEsbuild(['blob'], out);
    await writePage(out, 'blob.js');
    await mkdir(join(out, 'files'));
    await cp(WASM, join(out, 'files', 'sql-wasm.wasm'));
    const paths = {
      absolute: '/files/sql-wasm.wasm',
      relative: 'files/sql-wasm.wasm',
      none: undefined,
      wrong: 'http://',
    };
    for (const [name, path] of Object.entries(paths)) {
      await withEsbuild(['blob-worker'], join(out, name), path);
    }
    const outcome = (name: string): Promise<string> => visit(out, { csp }, `?script=${name}/blob-worker.js`);
    expect(await outcome('absolute')).toBe('hello');
    expect(await outcome('relative')).toBe('hello');
    expect(await outcome('none')).toContain(
      'the file of SQLite is missing: this script has a blob: or data: URL: serve pdsdb/sql-wasm.wasm and ' +
        'pass its URL to serveRepos({ wasm })',
    );
    expect(await outcome('wrong')).toContain('the file of SQLite is missing: http:// is not a valid URL: serve');
  });
});
