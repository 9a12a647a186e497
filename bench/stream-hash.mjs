// SHA-256 of a blob that comes in parts of 64 KiB: in JavaScript, in WebAssembly and, in Node, of the platform, in turn.
// In Node and in Chromium. Needs `npm run build`.
//   node stream-hash.mjs --rounds 15 --mebibytes 32
// Prints the median speeds in MB/s, and the medians of the ratios of the times in a round.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { launch } from 'puppeteer-core';
import { sha256 } from '@noble/hashes/sha2.js';
import { sha256Stream } from '../dist/index.js';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, mebibytes: { type: 'string', default: '32' } },
});
const options = { rounds: Number(values.rounds), size: Number(values.mebibytes) * 1024 * 1024 };

/** Runs in Node and in the page. Returns the times in milliseconds, by name. */
const measure = (hashes, { rounds, size }) => {
  const bytes = new Uint8Array(size).map((_, i) => (i * 2654435761) >>> 24);
  const times = Object.fromEntries(Object.keys(hashes).map((name) => [name, []]));
  const digests = new Set();
  for (let round = 0; round < rounds; round++) {
    for (const [name, create] of Object.entries(hashes)) {
      const start = performance.now();
      const hash = create();
      for (let at = 0; at < size; at += 65_536) {
        hash.update(bytes.subarray(at, at + 65_536));
      }
      digests.add(String(new Uint8Array(hash.digest())));
      times[name].push(performance.now() - start);
    }
  }
  if (digests.size !== 1) {
    throw new Error('the hashes differ');
  }
  return times;
};

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const show = (where, times) => {
  for (const [name, list] of Object.entries(times)) {
    const speed = options.size / 1e6 / (median(list) / 1000);
    const ratio = median(list.map((time, i) => times.JavaScript[i] / time));
    console.log(`${where} ${name}: ${speed.toFixed(0)} MB/s, ${ratio.toFixed(2)} times as fast as JavaScript`);
  }
};

const inNode = {
  JavaScript: () => sha256.create(),
  WebAssembly: sha256Stream,
  platform: () => createHash('sha256'),
};
show('Node', measure(inNode, options));

const page = await build({
  stdin: {
    contents: `import { sha256 } from '@noble/hashes/sha2.js'; import { sha256Stream } from './wasm/hash/sha256-stream.js';
      globalThis.measure = ${measure}; globalThis.hashes = { JavaScript: () => sha256.create(), WebAssembly: sha256Stream };`,
    resolveDir: fileURLToPath(new URL('../dist/', import.meta.url)),
  },
  bundle: true,
  format: 'esm',
  write: false,
});
const server = createServer((request, response) => {
  const isPage = request.url === '/page.js';
  response.writeHead(200, { 'content-type': isPage ? 'text/javascript' : 'text/html' });
  response.end(isPage ? page.outputFiles[0].contents : '<!doctype html><script type="module" src="/page.js"></script>');
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const userDataDir = mkdtempSync(join(tmpdir(), 'pdsdb-bench-'));
const browser = await launch({
  browser: 'chrome',
  executablePath: '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  userDataDir,
  protocolTimeout: 600_000,
});
try {
  const tab = await browser.newPage();
  await tab.goto(`http://localhost:${server.address().port}/`);
  await tab.waitForFunction(() => typeof measure === 'function');
  show('Chromium', await tab.evaluate((given) => measure(hashes, given), options));
} finally {
  await browser.close();
  server.close();
  rmSync(userDataDir, { recursive: true, force: true });
}
