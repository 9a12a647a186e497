/**
 * Browsers that are killed during writes and started again with the same profile. PDSDB_KILLS is the number of kills
 * (default: 2). PDSDB_OPEN_MS is the longest time to open the repository again, in milliseconds (default: no limit,
 * because a busy machine is slow).
 */
import { describe, expect, onTestFinished, test } from 'vitest';
import { hasDeletedData } from './chromium-logs.ts';
import type { BrowserStorage } from '../../src/adapters/platform/browser-platform.ts';
import { isMissing, makeProfile, startBrowser } from './browsers.ts';
import type { BrowserName, TestPage } from './browsers.ts';
import { useSite } from './in-browser.ts';
import type { Found, Place } from './repo-commands.ts';
import { bodyOf } from './site.ts';

const KILLS = Number(process.env['PDSDB_KILLS'] ?? 2);

/** The time of the opening only, without the start of the browser, and before any read. */
const OPEN_MS = Number(process.env['PDSDB_OPEN_MS'] ?? Number.POSITIVE_INFINITY);

/** Long enough to write several commits, and short enough to sometimes kill the browser during the first ones. */
const MOST_MS = 1500;

const site = useSite();

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One storage of the browser that is killed, and the commits that it must have. */
class Written {
  readonly #browser: BrowserName;
  readonly place: Place;
  /** The commits that the page has reported since the last start. */
  #acknowledged: string[] = [];
  /** The log of the last start, newest first. */
  #before: readonly string[] = [];
  #onFirst = (): void => {};
  resets = 0;
  commits = 0;
  slowest = 0;
  slowestAll = 0;

  constructor(browser: BrowserName, storage: BrowserStorage) {
    this.#browser = browser;
    this.place = { name: 'killed', storage };
  }

  /** Chromium sometimes deletes all data in IndexedDB when it starts after a crash. */
  get mayLoseData(): boolean {
    return this.#browser === 'chromium' && this.place.storage === 'indexeddb';
  }

  acknowledge(cid: string): void {
    this.#acknowledged.push(cid);
    this.#onFirst();
  }

  /** Writes until the first acknowledgement and for some time after it. An end before the kill is an error. */
  async writeAWhile(page: TestPage, ms: number): Promise<void> {
    this.#acknowledged = [];
    const first = new Promise<void>((resolve) => (this.#onFirst = resolve));
    const failed = page
      .run('worker', 'writeForever', this.place)
      .then(() => Promise.reject(new Error('it has stopped writing')));
    failed.catch(() => undefined);
    await Promise.race([first, failed]);
    await pause(ms);
  }

  /** Opens the repository after a kill, and expects every acknowledged commit. */
  async check(page: TestPage, profile: string, when: string): Promise<void> {
    const since = performance.now();
    const found = await page.run<Found>('worker', 'openAgain', this.place);
    const where = `${this.place.storage}, ${when}, ${this.#acknowledged.length} commits acknowledged`;
    if ('refusal' in found) {
      // Chromium has deleted all data in IndexedDB. Later writes must survive.
      expect([found.refusal, this.mayLoseData && hasDeletedData(profile)], where).toEqual(['RepoNotFound', true]);
      this.resets += 1;
      this.#before = [];
      return;
    }
    const { head, faults, log, openMs } = found;
    this.slowest = Math.max(this.slowest, openMs);
    this.slowestAll = Math.max(this.slowestAll, performance.now() - since);
    expect(openMs, `milliseconds to open, ${where}`).toBeLessThan(OPEN_MS);
    expect(faults, where).toEqual([]);
    expect(log[0], where).toBe(head);
    // Newest first: the acknowledged commits, and at most one whose acknowledgement was lost.
    const added = log.slice(0, log.length - this.#before.length).reverse();
    expect(log.slice(log.length - this.#before.length), where).toEqual(this.#before);
    expect(added.slice(0, this.#acknowledged.length), where).toEqual(this.#acknowledged);
    expect(added.length, where).toBeLessThanOrEqual(this.#acknowledged.length + 1);
    this.#before = log;
    this.commits += this.#acknowledged.length;
  }

  /** Expects that the kills have met a browser that writes. */
  finish(): void {
    console.log(
      `${this.#browser} ${this.place.storage}: ${KILLS} kills, ${this.commits} commits acknowledged and found, opened in ${Math.round(this.slowest)} ms at most, and read and verified in ${Math.round(this.slowestAll)} ms at most${this.mayLoseData ? `, deleted by the browser ${this.resets} times` : ''}`,
    );
    expect(this.resets, this.place.storage).toBeLessThanOrEqual(KILLS / 3);
    expect(this.commits, this.place.storage).toBeGreaterThan(KILLS - this.resets - 1);
  }
}

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`${name} (needs the browser)`, () => {
    const unless = name === 'chromium' ? ' (unless it has deleted its IndexedDB data, which is counted)' : '';
    const title = `killed ${KILLS} times while two pages write to OPFS and IndexedDB, it has every acknowledged commit of both, and no data is damaged${unless}`;
    // One browser for both storages, because its start takes longer than the writes.
    test(title, { timeout: 60_000 + KILLS * 60_000 }, async () => {
      const { profile, remove } = await makeProfile();
      onTestFinished(remove);
      const all = (['opfs', 'indexeddb'] as const).map((storage) => new Written(name, storage));
      site().on('/acknowledged', async (request, response, url) => {
        const storage = url.searchParams.get('storage');
        all.find(({ place }) => place.storage === storage)!.acknowledge(String(await bodyOf(request)));
        response.end();
      });
      let waited = 0;
      for (let kill = 0; kill <= KILLS; kill++) {
        const browser = await startBrowser(name, { profile });
        try {
          const pages: TestPage[] = [];
          for (const { place } of all) {
            pages.push(await browser.open(`${site().url}?${place.storage}`));
          }
          if (kill > 0) {
            const when = `after kill ${kill}, ${Math.round(waited)} ms after both storages had acknowledged a commit`;
            await Promise.all(all.map((written, i) => written.check(pages[i]!, profile, when)));
          }
          if (kill < KILLS) {
            waited = Math.random() * MOST_MS;
            await Promise.all(all.map((written, i) => written.writeAWhile(pages[i]!, waited)));
          }
        } finally {
          await browser.kill();
        }
      }
      all.forEach((written) => written.finish());
    });
  });
}
