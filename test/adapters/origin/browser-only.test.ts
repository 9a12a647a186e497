/** The entry points for browsers, imported where there is no browser. */
import { expect, test } from 'vitest';
import * as browser from '../../../src/browser.ts';
import * as worker from '../../../src/worker.ts';

test('in Node, each call rejects with Unsupported, and names what is missing', async () => {
  const options = { did: 'did:web:a.example', worker: () => new Worker('none.js') };
  const calls: (() => unknown)[] = [
    () => browser.createRepo('a', options),
    () => browser.openRepo('a', options),
    () => browser.openRepo('a', { ...options, persist: true }),
    () => browser.listRepos(options),
    () => browser.deleteRepo('a', options),
    () => browser.exportFolder('a', options)[Symbol.asyncIterator]().next(),
    () => browser.importFolder('a', [], options),
    () => worker.serveRepos(),
    () => worker.createPageWorker(),
  ];
  for (const call of calls) {
    await expect((async () => call())(), String(call)).rejects.toMatchObject({
      code: 'Unsupported',
      message: expect.stringMatching(/missing here: IndexedDB, OPFS.*pdsdb\/node/),
    });
  }
});
