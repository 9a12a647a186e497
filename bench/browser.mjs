// The same operations in browsers: a page calls a worker, which has SQLite and the files. `npm run bench -- --browsers`
// runs it last; `node browser.mjs --size 100000 --runs 3` runs it alone. Prints JSON, one line per browser and
// storage.
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { launch } from 'puppeteer-core';
import { SECRET, makeInput, readInput } from './input.mjs';

const { values } = parseArgs({
  options: { size: { type: 'string', default: '100000' }, runs: { type: 'string', default: '3' } },
});
const size = Number(values.size);
const dist = fileURLToPath(new URL('../dist/', import.meta.url));

const BROWSERS = {
  chromium: {
    program: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  },
  firefox: { program: '/usr/bin/firefox-esr', args: [] },
};

await makeInput(size);
const input = readInput(size);

/** Bundles the page into one file. */
const page = await build({
  stdin: {
    contents: `import { createRepo, deleteRepo } from './browser.js'; import { importKey } from './index.js'; Object.assign(globalThis, { createRepo, deleteRepo, importKey });`,
    resolveDir: dist,
  },
  bundle: true,
  format: 'esm',
  write: false,
});
const FILES = {
  '/': ['text/html', () => '<!doctype html><title>bench</title><script type="module" src="/page.js"></script>'],
  '/page.js': ['text/javascript', () => page.outputFiles[0].contents],
  '/bundled/repo-worker.js': ['text/javascript', () => readFileSync(join(dist, 'bundled', 'repo-worker.js'))],
  '/wasm/sql-wasm.wasm': ['application/wasm', () => readFileSync(join(dist, 'wasm', 'sql-wasm.wasm'))],
};
const server = createServer((request, response) => {
  if (request.url === '/sample.car') {
    createReadStream(input.carFile).pipe(response.writeHead(200));
    return;
  }
  const [type, content] = FILES[request.url] ?? [];
  response.writeHead(type === undefined ? 404 : 200, { 'content-type': type ?? 'text/plain' }).end(content?.());
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://localhost:${server.address().port}/`;

/** Runs in the page. Times in milliseconds. */
const measureOnce = async ({ storage, did, key, secret, paths, collection }) => {
  const signer = importKey(secret);
  const worker = () => new Worker('/bundled/repo-worker.js', { type: 'module' });
  const car = await (await fetch('/sample.car')).blob();
  const times = {};
  const timed = async (name, run) => {
    const start = performance.now();
    const result = await run();
    times[name] = performance.now() - start;
    return result;
  };
  const repo = await createRepo('bench', { did, worker, storage });
  await timed('import', () => repo.importCar(car, { key }));
  await timed('get', async () => {
    for (const path of paths) {
      const [at, rkey] = path.split('/');
      if ((await repo.get(at, rkey)) === undefined) throw new Error('not found');
    }
  });
  await timed('list', async () => {
    let count = 0;
    for await (const { value } of repo.list(collection, { limit: 18_000 })) count += value.$type === collection ? 1 : 0;
    if (count === 0) throw new Error('nothing listed');
  });
  await timed('export', async () => {
    let bytes = 0;
    for await (const chunk of repo.exportCar()) bytes += chunk.length;
    if (bytes < car.size / 2) throw new Error(`exported ${bytes} bytes`);
  });
  await timed('commits', async () => {
    const ops = Array.from({ length: 50 }, (_, n) => ({
      action: 'create',
      collection: 'com.example.note',
      rkey: `n${n}`,
      value: { text: `note ${n}` },
    }));
    for (const op of ops) await repo.write([op], { signer });
  });
  await repo.close();
  await deleteRepo('bench', { worker });
  return times;
};

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

for (const [name, { program, args }] of Object.entries(BROWSERS)) {
  if (!existsSync(program)) {
    process.stderr.write(`${name} is not here\n`);
    continue;
  }
  const userDataDir = mkdtempSync(join(tmpdir(), 'pdsdb-bench-'));
  const browser = await launch({
    browser: name === 'firefox' ? 'firefox' : 'chrome',
    executablePath: program,
    headless: true,
    args,
    userDataDir,
    protocolTimeout: 600_000,
  });
  try {
    for (const storage of ['opfs', 'indexeddb']) {
      const runs = [];
      for (let i = 0; i < Number(values.runs); i++) {
        const tab = await browser.newPage();
        await tab.goto(url);
        await tab.waitForFunction(() => typeof createRepo === 'function');
        runs.push(
          await tab.evaluate(measureOnce, {
            storage,
            did: input.did,
            key: input.key,
            secret: SECRET,
            paths: input.randomPaths(1000),
            collection: 'app.bsky.feed.post',
          }),
        );
        await tab.close();
      }
      const times = Object.fromEntries(Object.keys(runs[0]).map((key) => [key, median(runs.map((run) => run[key]))]));
      console.log(
        JSON.stringify({ browser: name, version: await browser.version(), storage, size, runs: runs.length, times }),
      );
    }
  } finally {
    await browser.close();
    rmSync(userDataDir, { recursive: true, force: true });
  }
}
server.close();
