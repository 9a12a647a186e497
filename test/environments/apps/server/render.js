// What a server does that renders a page: it imports the entry points for browsers, and maybe calls them by mistake.
import * as browser from 'pdsdb/browser';
import * as worker from 'pdsdb/worker';

const before = Object.keys(globalThis).length;
const options = { did: 'did:web:a.example', worker: () => new Worker(new URL('./none.js', import.meta.url)) };
const calls = {
  createRepo: () => browser.createRepo('a', options),
  openRepo: () => browser.openRepo('a', options),
  listRepos: () => browser.listRepos(options),
  deleteRepo: () => browser.deleteRepo('a', options),
  exportFolder: () => browser.exportFolder('a', options).next(),
  importFolder: () => browser.importFolder('a', [], options),
  persist: () => browser.openRepo('a', { ...options, persist: true }),
  'a worker object': () => browser.openRepo('a', { worker: { postMessage() {}, addEventListener() {} } }),
  serveRepos: () => worker.serveRepos(),
  createPageWorker: () => worker.createPageWorker(),
};
for (const [name, call] of Object.entries(calls)) {
  try {
    await call();
    console.log(name, 'done');
  } catch (error) {
    console.log(name, error.name, error.code, /IndexedDB/.test(error.message) && /pdsdb\/node/.test(error.message));
  }
}
console.log(Object.keys(globalThis).length === before ? 'no new globals' : 'new globals');
