/** What a visitor does in the page of the notes. */
import type { Page } from 'puppeteer-core';
import { POLLING, press, sees } from './example-site.ts';

/** Adds a note, and waits until the page shows it. */
export const add = async (page: Page, text: string): Promise<void> => {
  await page.waitForSelector('#new-note');
  await page.type('#new-note', text);
  await press(page, 'Add note');
  await sees(page, text);
  // The page may show the note first, and then empty the field. Text that is typed in between would be lost.
  await page.waitForFunction(() => {
    const field = document.querySelector<HTMLTextAreaElement>('#new-note')!;
    return field.value === '' && !field.form!.querySelector('button')!.disabled;
  }, POLLING);
};

/** Waits until the page shows these notes, and no others except those in conflict. */
export const shows = async (page: Page, notes: readonly string[]): Promise<void> => {
  const same = (wanted: readonly string[]): boolean =>
    JSON.stringify([...document.querySelectorAll('.note-item > .note-text')].map((one) => one.textContent)) ===
    JSON.stringify(wanted);
  await page.waitForFunction(same, POLLING, notes);
};

/** Replaces the text of a note. */
export const edit = async (page: Page, text: string, next: string): Promise<void> => {
  await press(page, `Edit: ${text}`);
  await page.waitForSelector('.note-item textarea');
  await page.$eval('.note-item textarea', (field) => ((field as HTMLTextAreaElement).value = ''));
  await page.type('.note-item textarea', next);
  await press(page, 'Save');
  await sees(page, next);
};

/** An account, and the addresses of its servers. */
export interface Visitor {
  readonly did: string;
  readonly password: string;
  readonly pdsUrl: string;
  readonly plcUrl: string;
}

/** Fills in the form of the page that shows the notes of this browser. */
export const fillIn = async (page: Page, given: Visitor & { readonly stay?: boolean }): Promise<void> => {
  await page.waitForSelector('.sign-in');
  await page.$$eval('.account details', (all) => all.forEach((one) => (one.open = true)));
  await page.type('.sign-in input[autocomplete=username]', given.did);
  await page.type('.sign-in input[type=password]', given.password);
  await page.type('.sign-in input[placeholder="https://pds.example.com"]', given.pdsUrl);
  await page.type('.sign-in input[placeholder="https://plc.directory"]', given.plcUrl);
  if (given.stay === true) {
    await page.click('.sign-in input[type=checkbox]');
  }
};

/** Signs in from the notes of this browser, and waits until the page shows the account. */
export const signIn = async (page: Page, given: Visitor & { readonly stay?: boolean }): Promise<void> => {
  await fillIn(page, given);
  await press(page, 'Sign in');
  await sees(page, 'Sign out');
};
