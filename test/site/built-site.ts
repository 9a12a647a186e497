/** The site that `npm run docs:build` has written. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { root } from '../house/sources.ts';

export const SITE: string = join(root, 'out', 'site');

const isRequired = (process.env['PDSDB_REQUIRE'] ?? '').split(',').includes('site');

/** Whether to skip the tests of the site: it is not built, and PDSDB_REQUIRE does not name it. */
export const isSiteMissing: boolean = !existsSync(join(SITE, 'index.html')) && !isRequired;

/** Returns the sorted paths of the HTML files of the site, with `/`. Skipped tests also call this, without a site. */
export const htmlFiles = (): string[] =>
  isSiteMissing
    ? []
    : readdirSync(SITE, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith('.html'))
        .map((entry) => relative(SITE, join(entry.parentPath, entry.name)).split(sep).join('/'))
        .sort();

export const htmlOf = (path: string): string => readFileSync(join(SITE, path), 'utf8');

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' };

/** Returns the targets of the links of a page and of the files that it loads. */
export const targetsOf = (html: string): string[] =>
  [...html.matchAll(/<[a-z][^>]*?\s(?:href|src)="([^"]*)"/g)].map(([, target]) =>
    target!.replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity),
  );

/** Returns the file and the fragment of a target, or `undefined` for a target outside of the site. */
export const resolveTarget = (page: string, target: string): { file: string; id: string } | undefined => {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith('//')) {
    return undefined;
  }
  const url = new URL(target, `http://site/${page}`);
  const path = decodeURIComponent(url.pathname).slice(1);
  const file = path === '' || path.endsWith('/') ? posix.join(path, 'index.html') : path;
  return { file, id: decodeURIComponent(url.hash.slice(1)) };
};

/** Returns the values of all `id` attributes of a page. */
export const idsOf = (html: string): Set<string> =>
  new Set([...html.matchAll(/<[a-z][^>]*?\sid="([^"]*)"/g)].map(([, id]) => id!));
