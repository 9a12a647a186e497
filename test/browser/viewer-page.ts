/** Helpers for the tests of the viewer: files to import, and their content. */
import type { Page } from 'puppeteer-core';
import { MemoryBlobStore, MemoryBlockStore, decodeCommit, generateKey, readCar, repoOver } from '../../src/index.ts';
import type { RecordValue, Repo } from '../../src/index.ts';
import { POLLING } from './example-site.ts';
import type { ExampleSite } from './example-site.ts';

export const POSTS = 'app.bsky.feed.post';
export const LIKES = 'app.bsky.feed.like';

/** A picture of one pixel. */
export const PICTURE: Buffer<ArrayBuffer> = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** A CAR in memory, to compare with. */
export const inMemory = async (car: Uint8Array): Promise<Repo> => {
  const blocks = readCar(car);
  const commit = [...blocks].find(({ cid }) => cid.equals(blocks.roots[0]))!;
  const repo = repoOver({
    did: decodeCommit(commit.bytes).did,
    store: new MemoryBlockStore(),
    blobs: new MemoryBlobStore(),
  });
  await repo.importCar(car, { allowUnsigned: true });
  return repo;
};

/** Returns a CAR with these records, by `collection/rkey`, in the given order. */
export const carWith = async (did: string, records: Readonly<Record<string, RecordValue>>): Promise<Buffer> => {
  await using repo = repoOver({
    did,
    store: new MemoryBlockStore(),
    blobs: new MemoryBlobStore(),
    signer: generateKey(),
  });
  for (const [path, value] of Object.entries(records)) {
    const [collection, rkey] = path.split('/') as [string, string];
    await repo.put(collection, rkey, value);
  }
  return Buffer.from(await new Response(repo.exportCar() as unknown as BodyInit).arrayBuffer());
};

/** Drops a file on the page. */
export const drop = async (page: Page, at: ExampleSite, name: string, bytes: Uint8Array): Promise<void> => {
  at.give(`/${name}`, bytes);
  await page.evaluate(async (path) => {
    const data = new DataTransfer();
    data.items.add(new File([await (await fetch(path)).blob()], path));
    dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  }, name);
};

/**
 * Waits until the page shows the progress of an import, and then optionally clicks Cancel: at once, in the page,
 * because the import continues meanwhile. Call it before the file is dropped.
 */
export const seesProgress = async (
  page: Page,
  { cancel = false }: { readonly cancel?: boolean } = {},
): Promise<void> => {
  const isUnderWay = (isCancelled: boolean): boolean => {
    const isSeen = (document.querySelector('progress')?.position ?? 0) > 0;
    if (isSeen && isCancelled) {
      [...document.querySelectorAll('button')].find((button) => button.textContent === 'Cancel')!.click();
    }
    return isSeen;
  };
  await page.waitForFunction(isUnderWay, { polling: 20 }, cancel);
};

/** Opens the first record of a list. Its rows may be drawn after the text that counts them. */
export const openFirst = async (page: Page): Promise<void> => {
  await page.waitForFunction(() => {
    const row = document.querySelector<HTMLElement>('.row');
    row?.click();
    return row !== null;
  }, POLLING);
};

/** Sets the text of the search box. */
export const searchFor = async (page: Page, text: string): Promise<void> => {
  await page.$eval(
    '.search input',
    (input, value) => {
      (input as HTMLInputElement).value = value;
      input.dispatchEvent(new InputEvent('input', { bubbles: true }));
    },
    text,
  );
};
