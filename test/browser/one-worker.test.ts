/**
 * Pages that pass a worker instead of a function: when frozen, it releases the files, and later takes part again. And
 * pages without a worker.
 */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { DID } from '../../src/testing/repo/harness.ts';
import { BROWSERS, isMissing } from './browsers.ts';
import { useBrowser, useSite } from './in-browser.ts';
import { openEndingTab, openTab, serveTabs } from './tab-site.ts';
import type { EndingTab } from './tab-site.ts';

const site = useSite();
beforeAll(async () => {
  await serveTabs(site());
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('one-worker-page.ts', import.meta.url))],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    external: ['fs', 'path', 'crypto', 'node:*'],
    logLevel: 'error',
  });
  site().on('/tab-page.js', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/javascript' }).end(outputFiles[0]!.text);
  });
});

describe.skipIf(isMissing('chromium'))('a page of chromium with one worker (needs the browser)', () => {
  const started = useBrowser('chromium', site);
  const openTwo = async (name: string, storage: string): Promise<[EndingTab, EndingTab]> => {
    const [first, second] = [
      await openEndingTab(started().browser, site()),
      await openEndingTab(started().browser, site()),
    ];
    await first.run('open', { name, did: DID, storage });
    await second.run('open', { name });
    await first.run('put', { from: 0, count: 2 });
    return [first, second];
  };

  test.each(['opfs', 'indexeddb'])('that leads and is frozen does not block other pages: %s', async (storage) => {
    const [first, second] = await openTwo(`leads-${storage}`, storage);
    await first.setFrozen(true);
    await second.run('put', { from: 2, count: 2 });
    await first.setFrozen(false);
    await first.run('put', { from: 4, count: 2 });
    // And in the other direction.
    await second.setFrozen(true);
    await first.run('put', { from: 6, count: 2 });
    await second.setFrozen(false);
    expect(await second.run('keys')).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(await first.run('verify')).toEqual({ ok: true, faults: [] });
    await Promise.all([first.close(), second.close()]);
  });

  test('that follows and is frozen during an import does not block other pages', async () => {
    const [first, second] = await openTwo('follows', 'opfs');
    await second.run('import');
    await second.setFrozen(true);
    await first.run('put', { from: 2, count: 2 });
    await second.setFrozen(false);
    expect(await second.run('keys')).toEqual([0, 1, 2, 3]);
    await Promise.all([first.close(), second.close()]);
  });
});

for (const name of BROWSERS) {
  describe.skipIf(isMissing(name))(`pages of ${name} without a worker (needs the browser)`, () => {
    const started = useBrowser(name, site);

    test('keep a repository in IndexedDB', async () => {
      const tab = await openTab(started().browser, site());
      expect(await tab.run('openOnPage' as never, { name: 'alone', did: DID })).toEqual(['indexeddb', ['alone']]);
      await tab.run('put', { from: 0, count: 5 });
      await tab.run('close');
      await tab.run('openOnPage' as never, { name: 'alone' });
      expect(await tab.run('keys')).toEqual([0, 1, 2, 3, 4]);
      expect(await tab.run('verify')).toEqual({ ok: true, faults: [] });
      await tab.run('close');
    });

    // Its driver has one page.
    test.skipIf(name === 'webkit')('share one', async () => {
      const [first, second] = [await openTab(started().browser, site()), await openTab(started().browser, site())];
      await first.run('openOnPage' as never, { name: 'shared', did: DID });
      await second.run('openOnPage' as never, { name: 'shared' });
      await Promise.all([first.run('put', { from: 0, count: 5 }), second.run('put', { from: 5, count: 5 })]);
      expect(await first.run('keys')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      await first.run('close');
      await second.run('put', { from: 10, count: 1 });
      expect(await second.run('verify')).toEqual({ ok: true, faults: [] });
      await second.run('close');
    });
  });
}
