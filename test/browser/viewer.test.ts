/** The viewer, as its reader uses it, in real browsers. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ElementHandle, Page } from 'puppeteer-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { MemoryBlobStore, MemoryBlockStore, decodeCommit, generateKey, readCar, repoOver } from '../../src/index.ts';
import type { Repo } from '../../src/index.ts';
import { createRepo, openRepo } from '../../src/node.ts';
import { fixtures, hasFixtures } from '../fixtures.ts';
import { sampleCar } from '../large/sample-car.ts';
import { isMissing } from './browsers.ts';
import { POLLING, press, sees, textsOf, useExample, useVisitor } from './example-site.ts';
import type { ExampleSite } from './example-site.ts';

const DID = 'did:web:large.example';
const LARGE = 100_000;
const POSTS = 'app.bsky.feed.post';
const LIKES = 'app.bsky.feed.like';

/** What a reader feels as stutter. Frames take longer here: there is no GPU, and the machine has other work. */
const MAX_MEDIAN_FRAME_MS = 50;

/** One row is found by it, and it is a picture of one pixel. */
const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

const site = useExample('viewer');

/** A CAR in memory, to compare with. */
const inMemory = async (car: Uint8Array): Promise<Repo> => {
  const blocks = readCar(car);
  const commit = [...blocks].find(({ cid }) => cid.equals(blocks.roots[0]))!;
  const repo = repoOver({ did: decodeCommit(commit.bytes).did, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
  await repo.importCar(car, { allowUnsigned: true });
  return repo;
};

/** Drops a file on the page. */
const drop = async (page: Page, at: ExampleSite, name: string, bytes: Uint8Array): Promise<void> => {
  at.give(`/${name}`, bytes);
  await page.evaluate(async (path) => {
    const data = new DataTransfer();
    data.items.add(new File([await (await fetch(path)).blob()], path));
    dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  }, name);
};

const linkTo = (did: string, path: string): string => `${site().url}?repo=${did}#${path}`;

let large: Buffer;
let paths: readonly string[];
beforeAll(async () => {
  const sample = await sampleCar(LARGE, { did: DID, signer: generateKey() });
  large = Buffer.from(sample.car);
  paths = sample.paths;
}, 120_000);

/** Keys of a collection, newest first. */
const keysOf = (collection: string): string[] =>
  paths.filter((path) => path.startsWith(`${collection}/`)).map((path) => path.slice(collection.length + 1)).reverse();

/** How long each frame took while `move` went on, in order of length. */
const framesDuring = async (page: Page, move: () => Promise<void>): Promise<number[]> => {
  await page.evaluate(() => {
    const frames: number[] = [];
    let last = performance.now();
    const note = (now: number): void => {
      frames.push(now - last);
      last = now;
      requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
    Object.assign(globalThis, { frames });
  });
  await move();
  return page.evaluate(() => (globalThis as unknown as { frames: number[] }).frames.slice(1).sort((a, b) => a - b));
};

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`the viewer in ${name} (needs the browser)`, { timeout: 180_000 }, () => {
    const visit = useVisitor(name);

    test.skipIf(!hasFixtures)('reads a real export, and gives back what it took in (needs the vectors of PDSDB_FIXTURES)', async () => {
      const car = await readFile(fixtures('repos/fakermaker.repo.car'));
      await using expected = await inMemory(car);
      const counts = await expected.collections();
      const head = (await expected.head())!;
      const { page, complaints } = await visit(site().url);
      await sees(page, 'Bring a repository');
      await drop(page, site(), 'fakermaker.car', car);
      await sees(page, 'imported and checked.');
      expect(await textsOf(page, '.sidebar ul:last-child a')).toEqual(counts.map(({ collection, count }) => `${collection}\n${count.toLocaleString('en')}`));

      await press(page, 'Verify');
      await sees(page, 'Everything here is sound.');

      await press(page, 'Export CAR');
      await using again = await inMemory(await site().saved());
      expect((await again.head())!.cid.toString()).toBe(head.cid.toString());
      expect(await again.collections()).toEqual(counts);

      await press(page, 'Export folder');
      const folder = await mkdtemp(join(tmpdir(), 'pdsdb-viewer-'));
      try {
        await writeFile(join(folder, 'repo.tar'), await site().saved());
        execFileSync('tar', ['-xf', 'repo.tar'], { cwd: folder });
        await using repo = await openRepo(folder);
        expect((await repo.head())!.cid.toString()).toBe(head.cid.toString());
      } finally {
        await rm(folder, { recursive: true });
      }
      await sees(page, 'Is it sound?');

      // The newest record of the first collection, by a click; then by its address alone.
      const { collection } = counts[0]!;
      const { value: newest } = await expected.list(collection, { limit: 1, reverse: true })[Symbol.asyncIterator]().next();
      await press(page, collection);
      await page.waitForSelector('.row .said');
      await page.$eval('.row', (row) => (row as HTMLElement).click());
      await page.waitForSelector('.json');
      expect(new URL(page.url()).hash).toBe(`#${collection}/${newest.rkey}`);
      await page.goBack();
      await sees(page, 'Choose a record');
      await page.goForward();
      await page.waitForSelector('.json');
      await page.reload();
      await page.waitForSelector('.json');
      expect(await textsOf(page, '.record h2')).toEqual([newest.rkey]);
      expect(complaints).toEqual([]);
      await page.close();
    });

    test('takes in 100,000 records, and scrolls through them by wheel and by keyboard', async () => {
      const { page, complaints } = await visit(site().url);
      await sees(page, 'Bring a');
      await drop(page, site(), 'large.car', large);
      await sees(page, DID);
      await page.waitForFunction(() => document.querySelector('progress')!.position > 0);
      await sees(page, `${LARGE.toLocaleString('en')} records imported and checked.`);
      await press(page, LIKES);
      await page.waitForSelector('.row .said');
      const keys = keysOf(LIKES);

      const box = (await (await page.$('.virtual-list'))!.boundingBox())!;
      await page.mouse.move(box.x + 50, box.y + 200);
      const frames = await framesDuring(page, async () => {
        for (let i = 0; i < 40; i++) {
          await page.mouse.wheel({ deltaY: 900 });
        }
        await page.focus('.virtual-list');
        for (let i = 0; i < 40; i++) {
          await page.keyboard.press('PageDown');
        }
      });
      const median = frames[Math.floor(frames.length / 2)]!;
      const late = frames[Math.floor(frames.length * 0.95)]!;
      console.log(`${name}: ${frames.length} frames, median ${median.toFixed(0)} ms, 95 of 100 within ${late.toFixed(0)} ms`);
      expect(median).toBeLessThan(MAX_MEDIAN_FRAME_MS);
      // As many elements as fit, however long the list is.
      expect((await page.$$('.row')).length).toBeLessThan(60);

      await page.keyboard.press('End');
      await page.waitForFunction((key) => document.querySelector('.row[aria-selected=true] .mono')?.textContent === key, POLLING, keys.at(-1)!);
      await page.keyboard.press('Home');
      await page.waitForFunction((key) => document.querySelector('.row[aria-selected=true] .mono')?.textContent === key, POLLING, keys[0]!);
      expect(complaints).toEqual([]);
      await page.close();
    });

    test('a link to a record in the middle opens it, and shows it in its list', async () => {
      const keys = keysOf(POSTS);
      const key = keys[Math.floor(keys.length / 2)]!;
      const { page } = await visit(linkTo(DID, `${POSTS}/${key}`));
      await page.waitForSelector('.json');
      await page.waitForFunction((wanted) => document.querySelector('.row[aria-selected=true] .mono')?.textContent === wanted, POLLING, key);
      await page.close();
      // Without the name of the repository it is the one that was open last.
      const { page: short } = await visit(`${site().url}#${POSTS}/nothing`);
      await sees(short, 'There is no such record here.');
      await short.close();
    });

    test('search finds by text and by key, says how far it is, and can be stopped', async () => {
      const { page } = await visit(linkTo(DID, POSTS));
      await page.waitForSelector('.row .said');
      const keys = keysOf(POSTS);
      await page.type('.search input', keys.at(-3)!);
      await sees(page, '1 found');
      await page.waitForFunction((key) => document.querySelector('.row .mono')?.textContent === key, POLLING, keys.at(-3)!);

      await page.$eval('.search input', (input) => ((input as HTMLInputElement).value = ''));
      await page.type('.search input', 'no such words');
      await sees(page, ` of ${keys.length.toLocaleString('en')}`);
      await press(page, 'Stop');
      await sees(page, 'before it was stopped');

      // An address goes straight there.
      await page.$eval('.search input', (input) => ((input as HTMLInputElement).value = ''));
      await page.type('.search input', `at://${DID}/${POSTS}/${keys[7]}`);
      await page.keyboard.press('Enter');
      await page.waitForFunction((key) => document.querySelector('.record h2')?.textContent === key, POLLING, keys[7]!);
      await page.close();
    });

    test('an import can be cancelled, a file that is none is refused in words, and neither leaves anything', async () => {
      const { page } = await visit(site().url);
      const { car } = await sampleCar(30_000, { did: 'did:web:cancelled.example', signer: generateKey(), seed: 2 });
      await sees(page, 'Bring a');
      await drop(page, site(), 'cancelled.car', car);
      await page.waitForFunction(() => document.querySelector('progress')!.position > 0);
      await press(page, 'Cancel');
      await sees(page, 'Cancelled.');
      await drop(page, site(), 'picture.png', PICTURE);
      await sees(page, 'This is not a repository, or it is damaged.');
      expect((await textsOf(page, '.kept .mono')).filter((did) => did.includes('cancelled'))).toEqual([]);
      await page.close();
    });

    test.skipIf(name === 'firefox')('takes in a folder with its blobs, and searches all collections of it (Firefox cannot be handed a folder by a test)', async () => {
      const did = 'did:web:folder.example';
      const folder = await mkdtemp(join(tmpdir(), 'pdsdb-viewer-'));
      const { page, complaints } = await visit(site().url);
      try {
        const own = await createRepo(folder, { did });
        const image = await own.putBlob(new Blob([PICTURE], { type: 'image/png' }));
        await own.put('app.bsky.actor.profile', 'self', { $type: 'app.bsky.actor.profile', description: 'Tide tables', avatar: image });
        await own.put(POSTS, '3l3qo2vutsw2b', { $type: POSTS, text: 'The tide was late', createdAt: '2026-03-14T09:26:53.000Z' });
        await own.close();
        await sees(page, 'Bring a');
        const input = (await page.$('input[webkitdirectory]')) as ElementHandle<HTMLInputElement>;
        await input.uploadFile(folder);
        await sees(page, did);
      } finally {
        await rm(folder, { recursive: true });
      }
      await press(page, 'Search everything');
      await sees(page, 'All collections');
      await page.type('.search input', 'TIDE');
      await sees(page, '2 found');
      await page.$eval('.row', (row) => (row as HTMLElement).click());
      await page.waitForFunction(() => document.querySelector<HTMLImageElement>('.figures img')?.naturalWidth === 1, POLLING);
      // What was found is still there beside it.
      expect(await textsOf(page, '.row .mono')).toEqual(['app.bsky.actor.profile/self', `${POSTS}/3l3qo2vutsw2b`]);
      expect(complaints).toEqual([]);
      await page.close();
    });

    test('shows the pictures of a record once they are here, and deletes a repository when it is told to', async () => {
      const did = 'did:web:pictures.example';
      await using own = repoOver({ did, store: new MemoryBlockStore(), blobs: new MemoryBlobStore(), signer: generateKey() });
      const image = await own.putBlob(new Blob([PICTURE], { type: 'image/png' }));
      await own.put(POSTS, '3l3qo2vutsw2b', { $type: POSTS, text: 'Look', embed: { images: [{ image }] }, createdAt: '2026-03-14T09:26:53.000Z' });
      const car = Buffer.from(await new Response(own.exportCar() as unknown as BodyInit).arrayBuffer());
      const { page, complaints } = await visit(site().url);
      await sees(page, 'Bring a');
      await drop(page, site(), 'pictures.car', car);
      await sees(page, 'mention 1 blob that is not here');
      await press(page, POSTS);
      await page.waitForSelector('.row .said');
      await page.$eval('.row', (row) => (row as HTMLElement).click());
      await sees(page, 'Not here');
      expect((await textsOf(page, '.json-aside'))[0]).toMatch(/^14 Mar 2026/);

      const folder = await mkdtemp(join(tmpdir(), 'pdsdb-viewer-'));
      try {
        await writeFile(join(folder, 'look.png'), PICTURE);
        const input = (await page.$('.blobs input')) as ElementHandle<HTMLInputElement>;
        await input.uploadFile(join(folder, 'look.png'));
        await page.waitForFunction(() => document.querySelector<HTMLImageElement>('.figures img')?.naturalWidth === 1);
      } finally {
        await rm(folder, { recursive: true });
      }

      await page.reload();
      await page.waitForFunction(() => document.querySelector<HTMLImageElement>('.figures img')?.naturalWidth === 1);
      await press(page, 'Overview');
      await press(page, 'Delete from this browser');
      await press(page, 'Delete');
      await sees(page, 'Deleted from this browser.');
      await page.waitForSelector('.home');
      expect(await textsOf(page, '.kept .mono')).not.toContain(did);
      expect(complaints).toEqual([]);
      await page.close();
    });
  });
}
