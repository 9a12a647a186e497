/** The layout is identical: Node opens a repository of a browser, and a browser opens one of Node. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openRepo } from '../../src/node.ts';
import { KEY, POST, post, rkeyOf } from '../../src/testing/repo/harness.ts';
import { hasSqlite3, sqlite3 } from '../adapters/sqlite/open-database.ts';
import { BROWSERS, isMissing } from './browsers.ts';
import { useBrowser, useSite } from './in-browser.ts';
import type { State } from './repo-commands.ts';
import { bodyOf } from './site.ts';

let root: string;
let folder: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'pdsdb-layout-'));
});
beforeEach(() => {
  folder = mkdtempSync(join(root, 'repo-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const site = useSite();
beforeAll(() => {
  site().on('/folder', async (request, response, url) => {
    const path = join(folder, url.searchParams.get('path')!);
    if (request.method === 'POST') {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, await bodyOf(request));
      response.end();
    } else {
      response.end(readFileSync(path));
    }
  });
});

/** Returns the paths of the files of a folder, with blobs before the database, unlike the library. */
const filesIn = (top: string): string[] =>
  readdirSync(top, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(top, join(entry.parentPath, entry.name)))
    .sort();

const stateInNode = async (
  directory: string,
): Promise<Pick<State, 'head' | 'faults' | 'records' | 'blobs' | 'log'>> => {
  const repo = await openRepo(directory);
  const head = await repo.head();
  const { faults, records, blobs } = await repo.verify({ key: KEY.did() });
  const log: string[] = [];
  for await (const { cid } of repo.log()) {
    log.push(String(cid));
  }
  await repo.close();
  return { head: String(head?.cid), faults: faults.map(({ message }) => message), records, blobs, log };
};

for (const name of BROWSERS) {
  describe.skipIf(isMissing(name))(`${name} (needs the browser)`, () => {
    const started = useBrowser(name, site);
    const storages = name === 'webkit' ? (['indexeddb'] as const) : (['opfs', 'indexeddb'] as const);

    for (const storage of storages) {
      test(`${storage}: exported to Node, and imported into another repository`, async () => {
        const { page } = started();
        const there = await page.run<State>('worker', 'make', { name: 'did:plc:made', storage });
        expect(there).toMatchObject({ faults: [], records: 299, blobs: 20 });
        await page.run('worker', 'exportTo', { name: 'did:plc:made', storage });

        expect(filesIn(folder).filter((path) => !path.startsWith('blobs/ba/bafkrei'))).toEqual(['pds.db']);
        const { header, ...state } = {
          ...(await stateInNode(folder)),
          header: readFileSync(join(folder, 'pds.db')).subarray(0, 15).toString(),
        };
        expect(header).toBe('SQLite format 3');
        expect(state).toEqual(there);

        // One more commit, so that the import contains a write of Node.
        const repo = await openRepo(folder, { signer: KEY });
        await repo.put(POST, rkeyOf(299), post('written in Node'));
        await repo.close();
        const here = await stateInNode(folder);
        expect(here.log.slice(1)).toEqual(there.log);

        const paths = filesIn(folder);
        const taken = await page.run('worker', 'importFrom', { name: 'taken', storage, paths });
        expect(taken).toMatchObject({ blobs: 20 });
        expect(await page.run<State>('worker', 'state', { name: 'taken', storage })).toEqual(here);

        const kept = (await page.run<{ name: string; storage: string }[]>('worker', 'list')).filter(
          (repo) => repo.storage === storage,
        );
        expect(kept.map((repo) => repo.name)).toEqual(['did:plc:made', 'taken']);
        await page.run('worker', 'remove', { name: 'did:plc:made' });
        await page.run('worker', 'remove', { name: 'taken' });
        expect(await page.run('worker', 'list')).not.toContainEqual(expect.objectContaining({ storage }));
        expect(await page.run('worker', 'refusal', { name: 'taken', storage })).toBe('RepoNotFound');
      });

      test.skipIf(!hasSqlite3)(`${storage}: sqlite3 finds no fault (needs the sqlite3 command)`, async () => {
        const { page } = started();
        await page.run('worker', 'make', { name: 'checked', storage });
        await page.run('worker', 'exportTo', { name: 'checked', storage });
        expect(sqlite3(join(folder, 'pds.db'), 'pragma integrity_check')).toEqual(['ok']);
      });

      test(`${storage}: a folder without a repository is refused, and nothing is left`, async () => {
        const { page } = started();
        writeFileSync(join(folder, 'pds.db'), Buffer.alloc(20_000, 'no database '));
        mkdirSync(join(folder, 'blobs/ba'), { recursive: true });
        const blob = 'blobs/ba/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku';
        writeFileSync(join(folder, blob), '');
        const place = { name: 'refused', storage };
        await expect(page.run('worker', 'importFrom', { ...place, paths: [blob, 'pds.db'] })).rejects.toThrow(
          /RepoError/,
        );
        await expect(page.run('worker', 'importFrom', { ...place, paths: [blob] })).rejects.toThrow(/no database/);
        expect(await page.run('worker', 'refusal', place)).toBe('RepoNotFound');
        // The name can be used.
        await page.run('worker', 'make', place);
        expect(await page.run('worker', 'state', place)).toMatchObject({ faults: [], blobs: 20 });
      });
    }
  });
}
