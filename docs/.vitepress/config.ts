import { defineConfig } from 'vitepress';
import { emptyHeaders } from './empty-headers.ts';
import { inlineDrawings } from './inline-drawings.ts';
import { linkToRepository, REPOSITORY } from './link-to-repository.ts';
import { sidebar } from './sidebar.ts';

export default defineConfig({
  title: 'pdsdb',
  description: 'An AT Protocol repository in one SQLite file: in browsers, Node, Deno and Bun',
  lang: 'en',
  // The path of the site on its host, with a slash at both ends.
  base: process.env['PDSDB_DOCS_BASE'] ?? '/',
  outDir: '../out/site',
  cacheDir: '../out/site-cache',
  srcExclude: ['node_modules/**', 'screenshots/**', 'public/**'],
  head: [['link', { rel: 'icon', href: `${process.env['PDSDB_DOCS_BASE'] ?? '/'}icon.svg`, type: 'image/svg+xml' }]],
  markdown: {
    // Both have a contrast of at least 4.5 for each color on the background of the theme.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: (markdown) => {
      markdown.use(emptyHeaders).use(inlineDrawings).use(linkToRepository);
    },
  },
  // Two pages of the theme have no main landmark. theme/index.js sets it when the reader comes from another page.
  transformHtml: (html) => html.replace(/class="VPContent( is-home)?"/, '$& role="main"'),
  themeConfig: {
    nav: [
      { text: 'Guides', link: '/guides/view-a-car', activeMatch: '^/(guides|records|write|coming)' },
      { text: 'Concepts', link: '/concepts/repository', activeMatch: '^/concepts/' },
      {
        text: 'Reference',
        link: '/entry-points',
        activeMatch: '^/(entry|command|errors|guarantees|layout|limits|benchmarks|durability|security)',
      },
      { text: 'API', link: '/api/index', activeMatch: '^/api/' },
      { text: 'Live', link: '/live' },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: REPOSITORY, ariaLabel: 'Source code on GitHub' }],
  },
});
