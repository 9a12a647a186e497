/** The viewer in real browsers. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ElementHandle } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { MemoryBlobStore, MemoryBlockStore, generateKey, repoOver } from '../../src/index.ts';
import { createRepo, openRepo } from '../../src/node.ts';
import { vectorBytes } from '../vectors.ts';
import { sampleCar } from '../large/sample-car.ts';
import { isMissing } from './browsers.ts';
import { POLLING, folderForFiles, press, sees, seesNotice, textsOf, useExample, useVisitor } from './example-site.ts';
import { PICTURE, POSTS, drop, inMemory, openFirst, seesProgress } from './viewer-page.ts';

const serve = useExample('viewer');

const MANY = 'did:web:many.example';
let made: Promise<Uint8Array> | undefined;
/** Returns a CAR of 30,000 records, which is made once: an import of it takes long enough to be stopped. */
const manyRecords = (): Promise<Uint8Array> =>
  (made ??= sampleCar(30_000, { did: MANY, signer: generateKey(), seed: 2 }).then(({ car }) => car));

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`the viewer in ${name} (needs the browser)`, { timeout: 180_000 }, () => {
    const visit = useVisitor(name);

    test('reads a real export, and exports the same content', async () => {
      const car = vectorBytes('repos/fakermaker.repo.car');
      await using expected = await inMemory(car);
      const counts = await expected.collections();
      const head = (await expected.head())!;
      const site = await serve();
      const { page, complaints } = await visit(site.url);
      await sees(page, 'Bring a repository');
      await drop(page, site, 'fakermaker.car', car);
      await sees(page, 'imported and checked.');
      expect(await textsOf(page, '.sidebar ul:last-child a')).toEqual(
        counts.map(({ collection, count }) => `${collection}\n${count.toLocaleString('en')}`),
      );

      await press(page, 'Verify');
      await sees(page, 'Everything here is sound.');

      await press(page, 'Export CAR');
      await using again = await inMemory(await site.saved());
      expect((await again.head())!.cid.toString()).toBe(head.cid.toString());
      expect(await again.collections()).toEqual(counts);

      await press(page, 'Export folder');
      const folder = await folderForFiles();
      await writeFile(join(folder, 'repo.tar'), await site.saved());
      execFileSync('tar', ['-xf', 'repo.tar'], { cwd: folder });
      await using repo = await openRepo(folder);
      expect((await repo.head())!.cid.toString()).toBe(head.cid.toString());
      await sees(page, 'Is it sound?');

      // The newest record of the first collection, by a click, and then by its address.
      const { collection } = counts[0]!;
      const { value: newest } = await expected
        .list(collection, { limit: 1, reverse: true })
        [Symbol.asyncIterator]()
        .next();
      await press(page, collection);
      await page.waitForSelector('.row .said');
      await openFirst(page);
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
    });

    test('an import can be cancelled, a file that is not a CAR is refused with a message, and neither leaves data', async () => {
      const site = await serve();
      const { page } = await visit(site.url);
      await sees(page, 'Bring a');
      const cancelled = seesProgress(page, { cancel: true });
      await drop(page, site, 'cancelled.car', await manyRecords());
      await cancelled;
      await seesNotice(page, 'Cancelled.');
      await drop(page, site, 'picture.png', PICTURE);
      await sees(page, 'This is not a repository, or it is damaged.');
      expect(await textsOf(page, '.kept .mono')).not.toContain(MANY);
    });

    test.skipIf(name === 'firefox')(
      'imports a folder with its blobs, and searches all its collections (a test cannot pass a folder to Firefox)',
      async () => {
        const did = 'did:web:folder.example';
        const folder = await folderForFiles();
        const site = await serve();
        const { page, complaints } = await visit(site.url);
        const own = await createRepo(folder, { did });
        const image = await own.putBlob(new Blob([PICTURE], { type: 'image/png' }));
        await own.put('app.bsky.actor.profile', 'self', {
          $type: 'app.bsky.actor.profile',
          description: 'Tide tables',
          avatar: image,
        });
        await own.put(POSTS, '3l3qo2vutsw2b', {
          $type: POSTS,
          text: 'The tide was late',
          createdAt: '2026-03-14T09:26:53.000Z',
        });
        await own.close();
        await sees(page, 'Bring a');
        const input = (await page.$('input[webkitdirectory]')) as ElementHandle<HTMLInputElement>;
        await input.uploadFile(folder);
        await sees(page, did);
        await press(page, 'Search everything');
        await sees(page, 'All collections');
        await page.type('.search input', 'TIDE');
        await sees(page, '2 found');
        await openFirst(page);
        await page.waitForFunction(
          () => document.querySelector<HTMLImageElement>('.figures img')?.naturalWidth === 1,
          POLLING,
        );
        // The results are still shown beside it.
        expect(await textsOf(page, '.row .mono')).toEqual(['app.bsky.actor.profile/self', `${POSTS}/3l3qo2vutsw2b`]);
        expect(complaints).toEqual([]);
      },
    );

    test('shows the pictures of a record once they are stored, and deletes a repository on request', async () => {
      const did = 'did:web:pictures.example';
      await using own = repoOver({
        did,
        store: new MemoryBlockStore(),
        blobs: new MemoryBlobStore(),
        signer: generateKey(),
      });
      const image = await own.putBlob(new Blob([PICTURE], { type: 'image/png' }));
      await own.put(POSTS, '3l3qo2vutsw2b', {
        $type: POSTS,
        text: 'Look',
        embed: { images: [{ image }] },
        createdAt: '2026-03-14T09:26:53.000Z',
      });
      const car = Buffer.from(await new Response(own.exportCar() as unknown as BodyInit).arrayBuffer());
      const site = await serve();
      const { page, complaints } = await visit(site.url);
      await sees(page, 'Bring a');
      await drop(page, site, 'pictures.car', car);
      await sees(page, 'mention 1 blob that is not here');
      await press(page, POSTS);
      await page.waitForSelector('.row .said');
      await openFirst(page);
      await sees(page, 'Not here');
      expect((await textsOf(page, '.json-aside'))[0]).toMatch(/^14 Mar 2026/);

      const folder = await folderForFiles();
      await writeFile(join(folder, 'look.png'), PICTURE);
      const input = (await page.$('.blobs input')) as ElementHandle<HTMLInputElement>;
      await input.uploadFile(join(folder, 'look.png'));
      await page.waitForFunction(() => document.querySelector<HTMLImageElement>('.figures img')?.naturalWidth === 1);

      await page.reload();
      await page.waitForFunction(() => document.querySelector<HTMLImageElement>('.figures img')?.naturalWidth === 1);
      await press(page, 'Overview');
      await press(page, 'Delete from this browser');
      await press(page, 'Delete');
      await seesNotice(page, 'Deleted from this browser.');
      await page.waitForSelector('.home');
      expect(await textsOf(page, '.kept .mono')).not.toContain(did);
      expect(complaints).toEqual([]);
    });

    test('a tab that is closed during an import leaves nothing that the next tab shows', async () => {
      const site = await serve();
      const car = await manyRecords();
      const { page: first } = await visit(site.url);
      await sees(first, 'Bring a');
      const progress = seesProgress(first);
      await drop(first, site, 'left.car', car);
      await progress;
      // As if another tab had been closed during the import of a folder.
      await first.evaluate(async () => {
        const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('incoming-left', {
          create: true,
        });
        const file = await (await folder.getFileHandle('pds.db', { create: true })).createWritable();
        await file.write(new Uint8Array(4096));
        await file.close();
      });
      await first.close();

      const { page, complaints } = await visit(site.url);
      await sees(page, 'Bring a repository');
      expect(await textsOf(page, '.kept .mono')).toEqual([]);
      expect(
        await page.evaluate(async () => {
          const names: string[] = [];
          for await (const name of (await navigator.storage.getDirectory()).keys()) {
            names.push(name);
          }
          return names;
        }),
      ).toEqual([]);
      // The same file can be imported again.
      await drop(page, site, 'left.car', car);
      await sees(page, '30,000 records imported and checked.');
      expect(complaints).toEqual([]);
    });

    test('the focus stays in its place: in the collections, and if only one pane fits', async () => {
      const site = await serve();
      const { car } = await sampleCar(300, { did: 'did:web:keys.example', signer: generateKey(), seed: 4 });
      const { page, complaints } = await visit(site.url);
      await sees(page, 'Bring a');
      await drop(page, site, 'keys.car', car);
      await sees(page, 'imported and checked.');
      /** Waits until the focused element matches a selector. */
      const isAt = async (selector: string): Promise<void> => {
        await page.waitForFunction((wanted) => document.activeElement?.matches(wanted) === true, POLLING, selector);
      };

      await page.focus(`.sidebar a[href$='${POSTS}']`);
      await page.keyboard.press('Enter');
      await page.waitForSelector('.row .said');
      await isAt(`.sidebar a[href$='${POSTS}'][aria-current]`);

      for (const width of [800, 400]) {
        await page.setViewport({ width, height: 800 });
        await page.focus('.virtual-list');
        await page.keyboard.press('Home');
        await page.keyboard.press('Enter');
        await page.waitForSelector('.json');
        await isAt('.record');
        await page.keyboard.press('Escape');
        await isAt('.virtual-list');
      }
      // The collections are on a separate page there.
      await press(page, 'Back');
      await isAt('.overview-pane');
      await page.focus(`.sidebar a[href$='${POSTS}']`);
      await page.keyboard.press('Enter');
      await isAt('.virtual-list');
      expect(complaints).toEqual([]);
    });
  });
}
