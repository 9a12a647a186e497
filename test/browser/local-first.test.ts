/** The notes, in two tabs and without a network, in real browsers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ElementHandle, Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { MemoryBlobStore, MemoryBlockStore, decodeCommit, readCar, repoOver } from '../../src/index.ts';
import { isMissing } from './browsers.ts';
import { POLLING, press, sees, textsOf, useExample, useVisitor } from './example-site.ts';

const COLLECTION = 'com.example.note';

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`the notes in ${name} (needs the browser)`, { timeout: 120_000 }, () => {
    // Of its own, as it goes away in the end.
    const site = useExample('local-first', name);
    const visit = useVisitor(name);

    const add = async (page: Page, text: string): Promise<void> => {
      await page.type('#new-note', text);
      await press(page, 'Add note');
      await sees(page, text);
    };

    /** Waits until these are the notes. */
    const shows = async (page: Page, notes: readonly string[]): Promise<void> => {
      const same = (wanted: readonly string[]): boolean =>
        JSON.stringify([...document.querySelectorAll('.note-text')].map((one) => one.textContent)) === JSON.stringify(wanted);
      await page.waitForFunction(same, POLLING, notes);
    };

    test('what is added, changed, deleted and taken back in one tab is seen in the other, and is there after a reload', async () => {
      const { page: first, complaints } = await visit(site().url);
      await sees(first, 'Nothing here yet.');
      const { page: second } = await visit(site().url);
      await sees(second, 'Nothing here yet.');

      await first.bringToFront();
      await add(first, 'Bread and milk');
      await add(first, 'Call the harbour office');
      await shows(second, ['Call the harbour office', 'Bread and milk']);

      await second.bringToFront();
      await press(second, 'Edit: Bread');
      await second.type('.note-item textarea', ', and tea');
      // What the other tab does now must not touch what is being written here.
      await first.bringToFront();
      await add(first, 'A third one');
      await second.bringToFront();
      await sees(second, 'A third one');
      await press(second, 'Save');
      await shows(first, ['A third one', 'Call the harbour office', 'Bread and milk, and tea']);

      await press(second, 'Delete: Call');
      await shows(first, ['A third one', 'Bread and milk, and tea']);
      await press(second, 'Undo');
      await shows(first, ['A third one', 'Call the harbour office', 'Bread and milk, and tea']);

      await first.close();
      await second.reload();
      await shows(second, ['A third one', 'Call the harbour office', 'Bread and milk, and tea']);
      expect((await textsOf(second, '.facts')).join()).toContain('Private file system (OPFS)');
      expect((await textsOf(second, '.facts')).join()).toMatch(/Room used\s+[\d.]+ [kMG]?B of/);
      expect(complaints).toEqual([]);
      await second.close();
    });

    test('an export is signed and whole, and an import of it changes nothing', async () => {
      const { page, complaints } = await visit(site().url);
      await sees(page, 'A third one');
      await press(page, 'Export');
      const car = await site().saved();
      const blocks = readCar(car);
      const { did } = decodeCommit([...blocks].find(({ cid }) => cid.equals(blocks.roots[0]))!.bytes);
      await using repo = repoOver({ did, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
      // The account is named by its own key.
      await repo.importCar(car, { key: did });
      const notes: unknown[] = [];
      for await (const { value } of repo.list(COLLECTION)) {
        notes.push(value['text']);
      }
      expect(notes).toEqual(['Bread and milk, and tea', 'Call the harbour office', 'A third one']);

      const folder = await mkdtemp(join(tmpdir(), 'pdsdb-notes-'));
      try {
        await writeFile(join(folder, 'notes.car'), car);
        const input = (await page.$('input[type=file]')) as ElementHandle<HTMLInputElement>;
        await input.uploadFile(join(folder, 'notes.car'));
        await sees(page, 'Nothing in it is new.');
        await writeFile(join(folder, 'none.car'), 'no notes at all');
        await input.uploadFile(join(folder, 'none.car'));
        await sees(page, 'This is not a repository, or it is damaged.');
      } finally {
        await rm(folder, { recursive: true });
      }
      await shows(page, ['A third one', 'Call the harbour office', 'Bread and milk, and tea']);
      expect(complaints).toEqual([]);
      await page.close();
    });

    test('opens and takes notes when nobody answers any more', async () => {
      const { page } = await visit(site().url);
      await sees(page, 'Ready');
      await site().stop();
      await page.reload();
      await sees(page, 'A third one');
      await add(page, 'Written at sea');
      await page.reload();
      await sees(page, 'Written at sea');
      await page.close();
    });
  });
}
