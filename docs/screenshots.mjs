// Takes the screenshots of docs/screenshots: ten pages of the built site, wide and narrow, light and dark.
// Needs `npm run docs:build` and Chromium. `node docs/screenshots.mjs`
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { launch } from 'puppeteer-core';

const site = join(import.meta.dirname, '..', 'out', 'site');
const out = join(import.meta.dirname, 'screenshots');

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
const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 } };
const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

const server = createServer(({ url }, response) => {
  const { pathname } = new URL(url, 'http://localhost');
  const file = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
  try {
    const bytes = readFileSync(join(site, file));
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' }).end(bytes);
  } catch {
    // The screenshot shows what is missing.
    response.writeHead(404).end();
  }
});
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
await browser.close();
server.close();
