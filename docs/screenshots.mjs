// Takes the screenshots of docs/screenshots: ten pages of the built site, wide and narrow, light and dark. And those of
// both examples, which docs/live.md shows.
// Needs `npm run docs:build` and Chromium. `node docs/screenshots.mjs`
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { launch } from 'puppeteer-core';
import { MemoryBlobStore, MemoryBlockStore, generateKey, repoOver } from '../dist/index.js';

const docs = import.meta.dirname;
const site = join(docs, '..', 'out', 'site');
const out = join(docs, 'screenshots');

const PAGES = {
  home: 'index.html',
  'view-a-car': 'guides/view-a-car.html',
  'several-tabs': 'guides/several-tabs.html',
  repository: 'concepts/repository.html',
  tree: 'concepts/tree.html',
  tabs: 'concepts/tabs.html',
  command: 'command.html',
  'coming-from': 'coming-from.html',
  benchmarks: 'benchmarks.html',
  'api-repo': 'api/index/interfaces/Repo.html',
};
/** Posts of the account in the viewer, oldest first. */
const POSTS = [
  'Small joys: a bus driver who waits.',
  'Our tide table app now works on the boat, without a network.',
  'The museum lets you draw in the gallery on Thursdays.',
  'First frost on the allotment this morning.',
  'Somebody left a box of free records outside the shop.',
  'Reading the atproto repository spec on the train.',
  'Two mornings on the coast path. The second one was worth getting up for. Map: coastpath.example.com',
];
const NOTES = ['Bread, milk and tea', 'Call the harbour office before noon', 'Paint the boat: green, two coats'];
const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 } };
const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

const server = createServer(({ url }, response) => {
  const { pathname } = new URL(url, 'http://localhost');
  const file = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
  try {
    const bytes = file === '/alice.car' ? car : readFileSync(join(site, file));
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(bytes);
  } catch {
    // The screenshot shows what is missing.
    response.writeHead(404).end();
  }
});
/** A CAR of an invented account. */
const sampleCar = async () => {
  const did = 'did:web:alice.example.com';
  const stores = { store: new MemoryBlockStore(), blobs: new MemoryBlobStore() };
  const repo = repoOver({ did, ...stores, signer: generateKey() });
  const createdAt = new Date().toISOString();
  const subject = { uri: 'at://did:web:bob.example.com/app.bsky.feed.post/3l3qo2vutsw2b', cid: 'bafyreib' };
  await repo.put('app.bsky.actor.profile', 'self', { $type: 'app.bsky.actor.profile', displayName: 'Alice' });
  for (const text of POSTS) {
    await repo.create('app.bsky.feed.post', { text, createdAt });
    await repo.create('app.bsky.feed.like', { subject, createdAt });
    await repo.create('app.bsky.graph.follow', { subject: 'did:web:bob.example.com', createdAt });
  }
  return Buffer.from(await new Response(repo.exportCar()).arrayBuffer());
};
const car = await sampleCar();

await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const home = `http://localhost:${server.address().port}/`;

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const browser = await launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
for (const color of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    const page = await browser.newPage();
    await page.setViewport(viewport);
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: color },
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
    for (const [name, path] of Object.entries(PAGES)) {
      await page.goto(home + path, { waitUntil: 'networkidle0' });
      await page.screenshot({ path: join(out, `${name}-${size}-${color}.webp`), type: 'webp', quality: 60 });
    }
    await page.close();
  }
}

const openExample = async (name) => {
  const page = await browser.newPage();
  await page.setViewport({ width: 1120, height: 700 });
  await page.goto(`${home}${name}/index.html`, { waitUntil: 'networkidle0' });
  return page;
};
const viewer = await openExample('viewer');
await viewer.evaluate(async () => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([await (await fetch('/alice.car')).blob()], 'alice.car'));
  dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
});
await viewer.locator('::-p-text(app.bsky.feed.post)').click();
await viewer.locator('::-p-text(Two mornings)').click();
await viewer.waitForSelector('.record .json');
await viewer.screenshot({ path: join(docs, 'viewer.png') });

const notes = await openExample('notes');
for (const note of NOTES) {
  await notes.locator('#new-note').fill(note);
  await notes.locator('::-p-text(Add note)').click();
  await notes.waitForFunction((text) => document.querySelector('.note-item')?.textContent.includes(text), {}, note);
}
await notes.screenshot({ path: join(docs, 'local-first.png') });
await browser.close();
server.close();
