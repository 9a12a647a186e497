// 1,000 gets from a page whose worker has the repository in OPFS, in Chromium: one by one in a worker that has just
// started, one by one again, and by one `getMany`. Beside them, 1,000 messages to a worker that only sends them back (echo).
// `node bench/page-gets.mjs --rounds 15` measures this build. With `--before ../old/dist`, it measures two builds in
// turn. Prints JSON: the median times in milliseconds, and how many times the echo they are (the median of each round).
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { launch } from 'puppeteer-core';

const { values } = parseArgs({
  options: {
    before: { type: 'string' },
    after: { type: 'string', default: fileURLToPath(new URL('../dist', import.meta.url)) },
    rounds: { type: 'string', default: '15' },
    size: { type: 'string', default: '10000' },
  },
});

/** What the server has, by path. */
const files = new Map([['/', ['text/html', '<!doctype html><title>gets</title>']]]);
const builds = ['before', 'after'].filter((name) => values[name] !== undefined);
for (const name of builds) {
  const dist = resolve(values[name]);
  const page = await build({
    stdin: { contents: `export { createRepo, openRepo } from './browser.js';`, resolveDir: dist },
    bundle: true,
    format: 'esm',
    write: false,
  });
  files.set(`/${name}/page.js`, ['text/javascript', page.outputFiles[0].contents]);
  files.set(`/${name}/bundled/repo-worker.js`, ['text/javascript', readFileSync(join(dist, 'bundled/repo-worker.js'))]);
  files.set(`/${name}/wasm/sql-wasm.wasm`, ['application/wasm', readFileSync(join(dist, 'wasm/sql-wasm.wasm'))]);
}
const server = createServer((request, response) => {
  const [type, content] = files.get(request.url) ?? [];
  response.writeHead(type === undefined ? 404 : 200, { 'content-type': type ?? 'text/plain' }).end(content);
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));

const COLLECTION = 'app.bsky.feed.post';
const rkeyOf = (n) => `3k${String(n).padStart(11, '0')}`;

/** Runs in the page: writes the records. */
const fill = async ({ name, size, collection }) => {
  const { createRepo } = await import(`/${name}/page.js`);
  const worker = () => new Worker(`/${name}/bundled/repo-worker.js`, { type: 'module' });
  const repo = await createRepo('gets', { did: 'did:web:example.com', worker, storage: 'opfs' });
  for (let from = 0; from < size; from += 1000) {
    await repo.write(
      Array.from({ length: 1000 }, (_, i) => ({
        action: 'create',
        collection,
        rkey: `3k${String(from + i).padStart(11, '0')}`,
        value: { text: `post ${from + i}`, langs: ['en'], createdAt: '2024-01-02T03:04:05.678Z', tags: ['a', 'b'] },
      })),
    );
  }
  await repo.close();
};

/** Runs in the page: sends as many messages as there are keys to a worker that returns a record of that size for each. */
const echo = async ({ rkeys, collection }) => {
  const code = `onmessage = ({ data }) => postMessage({ id: data.id, value: {
    text: 'post', langs: ['en'], createdAt: '2024-01-02T03:04:05.678Z', tags: ['a', 'b'] } });`;
  const worker = new Worker(URL.createObjectURL(new Blob([code])));
  const ask = (id) =>
    new Promise((done) => {
      worker.onmessage = ({ data }) => done(data);
      worker.postMessage({ id, collection, rkey: rkeys[id] });
    });
  await ask(0);
  const start = performance.now();
  for (const id of rkeys.keys()) {
    if ((await ask(id)).value.langs[0] !== 'en') throw new Error('not found');
  }
  const time = performance.now() - start;
  worker.terminate();
  return time;
};

/** Runs in the page: reads records by key, one after the other, then again, then other ones together, and then a list. */
const read = async ({ name, rkeys, others, collection }) => {
  const { openRepo } = await import(`/${name}/page.js`);
  const worker = () => new Worker(`/${name}/bundled/repo-worker.js`, { type: 'module' });
  const repo = await openRepo('gets', { worker, storage: 'opfs' });
  await repo.get(collection, rkeys[0]);
  const getAll = async () => {
    const start = performance.now();
    for (const rkey of rkeys) {
      if ((await repo.get(collection, rkey))?.value.langs[0] !== 'en') throw new Error('not found');
    }
    return performance.now() - start;
  };
  const gets = await getAll();
  const again = await getAll();
  let start = performance.now();
  const found = await repo.getMany(others.map((rkey) => `${collection}/${rkey}`));
  const many = performance.now() - start;
  if (!found.every((record) => record?.value.langs[0] === 'en')) throw new Error('not found');
  start = performance.now();
  let count = 0;
  for await (const { value } of repo.list(collection)) count += value.langs.length;
  const list = performance.now() - start;
  await repo.close();
  if (count === 0) throw new Error('nothing listed');
  return { gets, again, many, list };
};

const MEASURED = ['echo', 'gets', 'again', 'many', 'list'];
const userDataDir = mkdtempSync(join(tmpdir(), 'pdsdb-gets-'));
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
const browser = await launch({ executablePath: '/usr/bin/chromium', headless: true, args, userDataDir });
const times = Object.fromEntries(builds.map((name) => [name, Object.fromEntries(MEASURED.map((what) => [what, []]))]));
try {
  const tab = await browser.newPage();
  await tab.goto(`http://localhost:${server.address().port}/`);
  const size = Number(values.size);
  await tab.evaluate(fill, { name: builds[0], size, collection: COLLECTION });
  for (let round = 0; round <= Number(values.rounds); round++) {
    // The first round warms up. The order changes from round to round.
    for (const name of round % 2 === 0 ? builds : builds.toReversed()) {
      const keysFrom = (start) => Array.from({ length: 1000 }, (_, i) => rkeyOf((i * 7919 + start) % size));
      const [rkeys, others] = [keysFrom(round * 31), keysFrom(round * 31 + 17)];
      const asked = { name, rkeys, others, collection: COLLECTION };
      const found = { echo: await tab.evaluate(echo, asked), ...(await tab.evaluate(read, asked)) };
      if (round > 0) {
        for (const what of MEASURED) {
          times[name][what].push(Math.round(found[what] * 10) / 10);
        }
      }
    }
  }
} finally {
  await browser.close();
  server.close();
  rmSync(userDataDir, { recursive: true, force: true });
}
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const of = (name) => {
  const { echo, ...rest } = times[name];
  const ratio = (what) => median(rest[what].map((time, i) => time / echo[i]));
  return {
    ...Object.fromEntries(MEASURED.map((what) => [what, median(times[name][what])])),
    timesEcho: { gets: ratio('gets'), again: ratio('again') },
    times: times[name],
  };
};
console.log(JSON.stringify(Object.fromEntries(builds.map((name) => [name, of(name)])), null, 1));
