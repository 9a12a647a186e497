/** The views of records: posts, profiles, likes and follows, links, blobs, and hostile records. */
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ElementHandle, Page } from 'puppeteer-core';
import { describe, expect, test } from 'vitest';
import { MemoryBlobStore, MemoryBlockStore, generateKey, repoOver } from '../../src/index.ts';
import { isMissing } from './browsers.ts';
import { POLLING, folderForFiles, sees, textsOf, useExample, useVisitor } from './example-site.ts';
import { LIKES, PICTURE, POSTS, carWith, drop } from './viewer-page.ts';

const DID = 'did:web:records.example';
const OTHER = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
const FOLLOWS = 'app.bsky.graph.follow';
const PROFILE = 'app.bsky.actor.profile/self';
const createdAt = '2026-03-14T09:26:53.000Z';

const serve = useExample('viewer');

/** Goes to a record of the repository, and waits until it is shown. */
const openRecord = async (page: Page, did: string, path: string): Promise<void> => {
  const url = new URL(page.url());
  await page.goto(`${url.origin}/?repo=${did}#${path}`);
  await page.waitForFunction(
    (rkey) => document.querySelector('.record h2')?.textContent === rkey && document.querySelector('.json') !== null,
    POLLING,
    path.split('/')[1]!,
  );
};

/** Returns the links of the shown record: the target of each, or `in` for links within the viewer. */
const linksOf = (page: Page, selector: string): Promise<string[]> =>
  page.$$eval(`${selector} a`, (links) =>
    links.map((link) => {
      const { href, origin } = link as HTMLAnchorElement;
      return origin === location.origin ? `in ${href.slice(origin.length)}` : href;
    }),
  );

for (const name of ['chromium', 'firefox'] as const) {
  describe.skipIf(isMissing(name))(`records in the viewer in ${name} (needs the browser)`, { timeout: 180_000 }, () => {
    const visit = useVisitor(name);

    test('shows posts, profiles, likes and follows in their views, with internal and external links', async () => {
      const site = await serve();
      const { page, complaints } = await visit(site.url);
      await sees(page, 'Bring a');
      const uri = `at://${DID}/${POSTS}/3l3qo2vutsw2b`;
      const outside = `at://${OTHER}/${POSTS}/3l3qo2vutsw2c`;
      const gone = `at://${DID}/${POSTS}/3l3qo2vutsw2d`;
      const text = 'Hé, see records.example and @alice';
      const range = (part: string): object => {
        const byteStart = Buffer.byteLength(text.slice(0, text.indexOf(part)));
        return { byteStart, byteEnd: byteStart + Buffer.byteLength(part) };
      };
      const facets = [
        {
          index: range('records.example'),
          features: [{ $type: 'app.bsky.richtext.facet#link', uri: 'https://records.example/a?b=c' }],
        },
        { index: range('@alice'), features: [{ $type: 'app.bsky.richtext.facet#mention', did: OTHER }] },
      ];
      const car = await carWith(DID, {
        [PROFILE]: { $type: 'app.bsky.actor.profile', displayName: 'Records', description: 'Of all kinds' },
        [`${POSTS}/3l3qo2vutsw2b`]: {
          $type: POSTS,
          text,
          facets,
          reply: { parent: { uri: outside, cid: 'x' }, root: { uri: outside, cid: 'x' } },
          createdAt,
        },
        [`${LIKES}/3l3qo2vutsw2e`]: { $type: LIKES, subject: { uri, cid: 'x' }, createdAt },
        [`${LIKES}/3l3qo2vutsw2f`]: { $type: LIKES, subject: { uri: gone, cid: 'x' }, createdAt },
        [`${FOLLOWS}/3l3qo2vutsw2g`]: { $type: FOLLOWS, subject: OTHER, createdAt },
      });
      await drop(page, site, 'records.car', car);
      await sees(page, '5 records imported and checked.');

      await openRecord(page, DID, `${POSTS}/3l3qo2vutsw2b`);
      expect((await textsOf(page, '.card'))[0]).toContain(text);
      expect(await linksOf(page, '.card')).toEqual([
        `https://bsky.app/profile/${OTHER}/post/3l3qo2vutsw2c`,
        'https://records.example/a?b=c',
        `https://bsky.app/profile/${OTHER}`,
      ]);
      await openRecord(page, DID, PROFILE);
      expect((await textsOf(page, '.card'))[0]).toMatch(/^Records\n/);
      await openRecord(page, DID, `${LIKES}/3l3qo2vutsw2e`);
      expect((await textsOf(page, '.card'))[0]).toMatch(/^Likes at:/);
      expect(await linksOf(page, '.card')).toEqual([`in /?repo=${DID}#${POSTS}/3l3qo2vutsw2b`]);
      // A record that the repository lacks links to the chosen site, if that has a page for it.
      await openRecord(page, DID, `${LIKES}/3l3qo2vutsw2f`);
      await page.waitForSelector('.card a[target]');
      expect(await linksOf(page, '.card')).toEqual([`https://bsky.app/profile/${DID}/post/3l3qo2vutsw2d`]);
      await page.select('.site select', 'pdsls.dev');
      await page.waitForSelector('.card a[href^="https://pdsls.dev"]');
      expect(await linksOf(page, '.card')).toEqual([`https://pdsls.dev/at://${DID}/${POSTS}/3l3qo2vutsw2d`]);
      // The choice is stored.
      await openRecord(page, DID, `${FOLLOWS}/3l3qo2vutsw2g`);
      await page.reload();
      await page.waitForSelector('.card');
      expect((await textsOf(page, '.card'))[0]).toMatch(/^Follows did:plc:/);
      expect(await linksOf(page, '.card')).toEqual([`https://pdsls.dev/at://${OTHER}`]);
      await page.select('.site select', 'none');
      await page.waitForFunction(() => document.querySelector('.card a') === null, POLLING);
      expect(complaints).toEqual([]);
    });

    test('hostile records run no code, and link only to the web', async () => {
      const site = await serve();
      const { page, complaints } = await visit(site.url);
      await sees(page, 'Bring a');
      const markup = `<img src=x onerror="pwned=1"><script>pwned=1</script>"'><svg onload=pwned=1>`;
      const targets = [
        'javascript:pwned=1',
        'JaVaScRiPt:pwned=1',
        ' javascript:pwned=1',
        'java\nscript:pwned=1',
        'data:text/html,<script>pwned=1</script>',
        'blob:http://localhost/x',
        'vbscript:x',
        'file:///etc/passwd',
        'https://',
        'http://[',
        'https://user:secret@records.example/',
        'at://javascript:pwned=1',
        'at://did:web:a.example/javascript:pwned/x',
        `at://${DID}/${POSTS}/../../evil`,
        `at://did:web:a.example/${POSTS}/"onclick="pwned=1`,
        'at://evil.example:80/x',
        'did:web:a.example"><img src=x onerror=pwned=1>',
        markup,
      ];
      const facets = [
        ...targets.map((uri) => ({ index: { byteStart: 0, byteEnd: 3 }, features: [{ uri }, { did: uri }] })),
        { index: { byteStart: -5, byteEnd: 3 }, features: [{ uri: 'https://a.example' }] },
        { index: { byteStart: 2, byteEnd: 1e9 }, features: [{ uri: 'https://b.example' }] },
        { index: { byteStart: 3, byteEnd: 2 }, features: 'none' },
        null,
        { index: null, features: [null, 7, [], { uri: 7 }] },
      ];
      const records: Record<string, Record<string, unknown>> = {
        [PROFILE]: { displayName: markup, description: markup, avatar: markup },
      };
      targets.forEach((target, i) => {
        const rkey = `k${String(i).padStart(2, '0')}`;
        records[`${POSTS}/${rkey}`] = {
          text: `${target} ${markup}`,
          facets: [{ index: { byteStart: 0, byteEnd: 4 }, features: [{ uri: target }] }],
          embed: { external: { uri: target, title: markup }, record: { uri: target } },
          reply: { parent: { uri: target } },
          createdAt: markup,
        };
        records[`${LIKES}/${rkey}`] = { subject: { uri: target }, createdAt };
        records[`${FOLLOWS}/${rkey}`] = { subject: target, createdAt };
      });
      records[`${POSTS}/all`] = { text: markup, facets, createdAt, [markup]: targets };
      records[`${POSTS}/odd`] = { text: 7, facets: 'x', embed: null, reply: 7, createdAt: null };
      await drop(page, site, 'attack.car', await carWith(DID, records as never));
      await sees(page, 'imported and checked.');

      for (const path of Object.keys(records)) {
        await openRecord(page, DID, path);
        // Waits for later look-ups.
        await page.waitForFunction(() => document.readyState === 'complete');
        const found = await page.evaluate(() => ({
          pwned: 'pwned' in globalThis,
          elements: document.querySelectorAll('.record :is(script, iframe, object, embed, svg, [onerror], [onclick])')
            .length,
          schemes: [...document.querySelectorAll<HTMLAnchorElement>('.record a')].map(({ protocol }) => protocol),
        }));
        expect(found, path).toMatchObject({ pwned: false, elements: 0 });
        expect(
          found.schemes.filter((scheme) => scheme !== 'http:' && scheme !== 'https:'),
          path,
        ).toEqual([]);
      }
      // Lists, the first page and search show the same texts.
      await page.goto(`${site.url}?repo=${DID}&q=pwned#${POSTS}`);
      await page.waitForSelector('.row mark');
      await page.goto(site.url);
      await sees(page, markup);
      expect(await page.evaluate(() => 'pwned' in globalThis)).toBe(false);
      expect(complaints).toEqual([]);
    });

    // A test cannot pass a folder to Firefox.
    test.each(name === 'firefox' ? ['tar'] : ['tar', 'folder'])('adds blobs in bulk from a %s', async (from) => {
      const site = await serve();
      const { page, complaints } = await visit(site.url);
      await sees(page, 'Bring a');
      const did = 'did:web:bulk.example';
      await using own = repoOver({
        did,
        store: new MemoryBlockStore(),
        blobs: new MemoryBlobStore(),
        signer: generateKey(),
      });
      const files = [PICTURE, Buffer.from('a film'), Buffer.alloc(1500, 7)];
      for (const [i, bytes] of files.entries()) {
        const image = await own.putBlob(new Blob([bytes], { type: 'image/png' }));
        await own.put(POSTS, `k${i}`, { $type: POSTS, text: `${i}`, embed: { images: [{ image }] }, createdAt });
      }
      const car = Buffer.from(await new Response(own.exportCar() as unknown as BodyInit).arrayBuffer());
      await drop(page, site, 'bulk.car', car);
      await sees(page, 'mention 3 blobs that are not here');

      const folder = await folderForFiles();
      const blobs = join(folder, 'blobs');
      await mkdir(join(blobs, 'deep'), { recursive: true });
      await writeFile(join(blobs, 'one'), files[0]!);
      await writeFile(join(blobs, 'deep', 'x'.repeat(150)), files[2]!);
      await writeFile(join(blobs, 'same size as the film'), 'a film!'.slice(1));
      execFileSync('tar', ['-cf', 'blobs.tar', 'blobs'], { cwd: folder });
      await writeFile(join(folder, 'no.tar'), 'x'.repeat(2000));
      const input = async (index: number): Promise<ElementHandle<HTMLInputElement>> =>
        (await page.$$('.bulk input'))[index] as ElementHandle<HTMLInputElement>;
      if (from === 'folder') {
        await (await input(0)).uploadFile(blobs);
      } else {
        await (await input(1)).uploadFile(join(folder, 'no.tar'));
        await sees(page, 'This is not a tar archive, or it is damaged.');
        await (await input(1)).uploadFile(join(folder, 'blobs.tar'));
      }
      await sees(page, '3 files read. 2 blobs added. 1 blob is missing.');
      await openRecord(page, did, `${POSTS}/k0`);
      await page.waitForFunction(
        () => document.querySelector<HTMLImageElement>('.figures img')?.naturalWidth === 1,
        POLLING,
      );
      expect(complaints).toEqual([]);
    });
  });
}
