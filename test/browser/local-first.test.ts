/** The notes, in two tabs and without a network, in real browsers. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ElementHandle, Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { MemoryBlobStore, MemoryBlockStore, decodeCommit, readCar, repoOver } from '../../src/index.ts';
import { isAxeMissing, violationsOf } from './axe.ts';
import { isMissing } from './browsers.ts';
import {
  POLLING,
  find,
  folderForFiles,
  press,
  pressFound,
  sees,
  seesNotice,
  textsOf,
  useExample,
  useVisitor,
} from './example-site.ts';
import { add, shows } from './notes-page.ts';

const COLLECTION = 'com.example.note';

/** Deletes the files of a page, as a browser does when storage is short. */
const clearFiles = async (page: Page): Promise<void> => {
  await page.waitForFunction(async () => {
    const root = await navigator.storage.getDirectory();
    try {
      for await (const name of root.keys()) {
        await root.removeEntry(name, { recursive: true });
      }
      return true;
    } catch {
      // The closed page releases them a moment later.
      return false;
    }
  }, POLLING);
};

const serve = useExample('local-first');

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`the notes in ${name} (needs the browser)`, { timeout: 120_000 }, () => {
    const visit = useVisitor(name);

    const chooseFile = async (page: Page, bytes: Uint8Array | string): Promise<void> => {
      const path = join(await folderForFiles(), 'notes.car');
      await writeFile(path, bytes);
      const input = (await page.waitForSelector('input[type=file]')) as ElementHandle<HTMLInputElement>;
      await input.uploadFile(path);
    };

    test('a note that is added, changed, deleted or restored in one tab appears in the other, and exists after a reload', async () => {
      const { url } = await serve();
      const { page: first, complaints } = await visit(url);
      await sees(first, 'Nothing here yet.');
      const { page: second } = await visit(url);
      await sees(second, 'Nothing here yet.');

      await first.bringToFront();
      await add(first, 'Bread and milk');
      await add(first, 'Call the harbour office');
      await shows(second, ['Call the harbour office', 'Bread and milk']);

      await second.bringToFront();
      await press(second, 'Edit: Bread');
      await second.type('.note-item textarea', ', and tea');
      // Changes of the other tab must not change the text in the editor.
      await first.bringToFront();
      await add(first, 'A third one');
      await second.bringToFront();
      await sees(second, 'A third one');
      await press(second, 'Save');
      await shows(first, ['A third one', 'Call the harbour office', 'Bread and milk, and tea']);

      // Looks for the button before it appears, because it vanishes after some seconds.
      const undo = find(second, 'Undo');
      await press(second, 'Delete: Call');
      await shows(first, ['A third one', 'Bread and milk, and tea']);
      await pressFound(await undo);
      await shows(first, ['A third one', 'Call the harbour office', 'Bread and milk, and tea']);

      await first.close();
      await second.reload();
      await shows(second, ['A third one', 'Call the harbour office', 'Bread and milk, and tea']);
      expect((await textsOf(second, '.facts')).join()).toContain('Private file system (OPFS)');
      expect((await textsOf(second, '.facts')).join()).toMatch(/Room used\s+[\d.]+ [kMG]?B of/);
      expect(complaints).toEqual([]);
    });

    test('text in the editor is not lost when another tab changes or deletes the note', async () => {
      const { url } = await serve();
      const { page: first, complaints } = await visit(url);
      await sees(first, 'Nothing here yet.');
      await add(first, 'Paint the boat');
      const { page: second } = await visit(url);
      await press(second, 'Edit: Paint');
      await second.type('.note-item textarea', ' blue');

      await first.bringToFront();
      await press(first, 'Edit: Paint');
      await first.type('.note-item textarea', ' green');
      await press(first, 'Save');
      await shows(first, ['Paint the boat green']);
      await second.bringToFront();
      await sees(second, 'This note was changed meanwhile.');
      expect(await textsOf(second, '.elsewhere .note-text')).toEqual(['Paint the boat green']);
      expect(await second.$eval('.note-item textarea', (field) => (field as HTMLTextAreaElement).value)).toBe(
        'Paint the boat blue',
      );
      // The user has seen the text that a save replaces.
      await press(second, 'Save');
      await shows(first, ['Paint the boat blue']);
      await shows(second, ['Paint the boat blue']);

      await press(second, 'Edit: Paint');
      await second.type('.note-item textarea', ' and white');
      await press(first, 'Delete: Paint');
      await sees(first, 'Nothing here yet.');
      await sees(second, 'This note was deleted meanwhile.');
      await press(second, 'Save');
      await shows(first, ['Paint the boat blue and white']);
      await shows(second, ['Paint the boat blue and white']);

      // After a cancel, the note is deleted like any other.
      await press(second, 'Edit: Paint');
      await press(first, 'Delete: Paint');
      await sees(second, 'This note was deleted meanwhile.');
      await press(second, 'Cancel');
      await sees(second, 'Nothing here yet.');
      expect(complaints).toEqual([]);
    });

    test('an export is signed and complete, and importing it changes nothing', async () => {
      const site = await serve();
      const { page, complaints } = await visit(site.url);
      await add(page, 'Oil the hinges');
      await add(page, 'Mend the net');
      await press(page, 'Export');
      const car = await site.saved();
      const blocks = readCar(car);
      const { did } = decodeCommit([...blocks].find(({ cid }) => cid.equals(blocks.roots[0]))!.bytes);
      await using repo = repoOver({ did, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
      // The account is named by its own key.
      await repo.importCar(car, { key: did });
      const notes: unknown[] = [];
      for await (const { value } of repo.list(COLLECTION)) {
        notes.push(value['text']);
      }
      expect(notes).toEqual(['Oil the hinges', 'Mend the net']);

      await chooseFile(page, car);
      await seesNotice(page, 'Nothing in it is new.');
      await chooseFile(page, 'no notes at all');
      await sees(page, 'This is not a repository, or it is damaged.');
      await shows(page, ['Mend the net', 'Oil the hinges']);
      expect(complaints).toEqual([]);
    });

    test('the page says that the browser has cleared notes, and restores them from an export', async () => {
      const site = await serve();
      const { page, complaints } = await visit(site.url);
      await add(page, 'Where the key is');
      await press(page, 'Export');
      const car = await site.saved();
      // Another page of the same origin, where nothing is open.
      site.give(
        '/elsewhere.html',
        Buffer.from('<!doctype html><title>Elsewhere</title><link rel="icon" href="data:,">'),
      );
      await page.goto(`${site.url}elsewhere.html`);
      await clearFiles(page);
      await page.goto(site.url);
      await sees(page, 'The browser has deleted the notes.');
      await chooseFile(page, 'no notes at all');
      await sees(page, 'This is not a repository, or it is damaged.');
      // The notice stays until the user decides.
      await page.reload();
      await sees(page, 'The browser has deleted the notes.');
      const { page: other } = await visit(site.url);
      await sees(other, 'The browser has deleted the notes.');
      await chooseFile(page, car);
      await shows(page, ['Where the key is']);
      await add(page, 'Continues from there');
      // The other tab opens the restored repository, and does not create another.
      await press(other, 'Start a new notebook');
      await shows(other, ['Continues from there', 'Where the key is']);
      expect(complaints).toEqual([]);
    });

    test.skipIf(isAxeMissing)('axe-core finds no violation, and lists contain only items', async () => {
      const site = await serve();
      const { page, complaints } = await visit(site.url);
      const check = async (view: string): Promise<void> => {
        // The layout is the same in both browsers, and axe-core takes longer in Firefox.
        for (const width of name === 'chromium' ? [1280, 400] : [1280]) {
          await page.setViewport({ width, height: 800 });
          expect(await violationsOf(page), `${view}, ${width}`).toEqual([]);
          expect(await page.$$eval('h1', (found) => found.length), view).toBe(1);
          expect(await page.$$eval('ul > :not(li)', (found) => found.length), view).toBe(0);
        }
      };
      await sees(page, 'Nothing here yet.');
      await check('no notes');
      await add(page, 'The first');
      await add(page, 'The second');
      await check('notes');
      await press(page, 'Edit: The first');
      await page.waitForSelector('.note-item textarea');
      await check('a note that is written in');
      await press(page, 'Delete: The second');
      await seesNotice(page, 'Note deleted.');
      await check('a deleted note');
      await chooseFile(page, 'no notes at all');
      await sees(page, 'This is not a repository, or it is damaged.');
      await check('a refused file');
      expect(complaints).toEqual([]);
    });

    test('opens and stores notes without a server', async () => {
      const site = await serve();
      const { page } = await visit(site.url);
      await add(page, 'Written ashore');
      await sees(page, 'Ready');
      await site.stop();
      await page.reload();
      await sees(page, 'Written ashore');
      await add(page, 'Written at sea');
      await page.reload();
      await sees(page, 'Written at sea');
    });
  });
}
