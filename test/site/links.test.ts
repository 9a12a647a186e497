/** Every link of the built site leads to a page, a heading or a file. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root, textOf } from '../house/sources.ts';
import { SITE, htmlFiles, htmlOf, idsOf, isSiteMissing, resolveTarget, targetsOf } from './built-site.ts';

const { repository } = JSON.parse(textOf('package.json')) as { repository: { url: string } };
const home = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');

describe.skipIf(isSiteMissing)('links of the site (needs npm run docs:build)', () => {
  test('lead to a file and to a heading that exist', () => {
    const pages = htmlFiles();
    const ids = new Map(pages.map((page) => [page, idsOf(htmlOf(page))]));
    // Maps each target to the first page with a link to it, because the navigation is on all pages.
    const dead = new Map<string, string>();
    let count = 0;
    for (const page of pages) {
      for (const target of new Set(targetsOf(htmlOf(page)))) {
        const found = resolveTarget(page, target);
        if (found === undefined) {
          continue;
        }
        count += 1;
        const known = ids.get(found.file);
        if (known === undefined ? !existsSync(join(SITE, found.file)) : found.id !== '' && !known.has(found.id)) {
          dead.set(target, dead.get(target) ?? page);
        }
      }
    }
    expect([...dead]).toEqual([]);
    expect(count).toBeGreaterThan(1000);
  });

  test('into the repository lead to a file of it', () => {
    const dead = new Map<string, string>();
    for (const page of htmlFiles()) {
      for (const target of targetsOf(htmlOf(page))) {
        const [, path] = /^\/(?:blob|tree)\/main\/([^#]+)/.exec(target.slice(home.length)) ?? [];
        if (target.startsWith(home) && path !== undefined && !existsSync(join(root, path))) {
          dead.set(path, dead.get(path) ?? page);
        }
      }
    }
    expect([...dead]).toEqual([]);
  });

  test('the check finds a dead link', () => {
    const [target] = targetsOf('<p><a class="a" href="../b.html?c&amp;d#e">f</a>');
    expect(resolveTarget('guides/a.html', target!)).toEqual({ file: 'b.html', id: 'e' });
    expect(resolveTarget('a.html', 'https://example.com/')).toBeUndefined();
    expect([...idsOf('<h2 id="e" tabindex="-1">')]).toEqual(['e']);
  });
});
