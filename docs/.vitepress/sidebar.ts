/** The contents of the site. `test/site/pages.test.ts` fails if a page is missing here. */
import type { DefaultTheme } from 'vitepress';

const page = (text: string, link: string): DefaultTheme.SidebarItem => ({ text, link });

const pages: DefaultTheme.SidebarItem[] = [
  {
    text: 'Guides',
    items: [page('Records', '/records'), page('Write an adapter', '/write-an-adapter'), page('Live examples', '/live')],
  },
  {
    text: 'Concepts',
    items: [
      page('Repository', '/concepts/repository'),
      page('Commits', '/concepts/commits'),
      page('Tree', '/concepts/tree'),
      page('CAR', '/concepts/car'),
      page('Blobs', '/concepts/blobs'),
      page('Durable commits', '/concepts/durability'),
      page('Tabs', '/concepts/tabs'),
    ],
  },
  {
    text: 'Reference',
    items: [page('Benchmarks', '/benchmarks'), page('Durability', '/durability'), page('Security', '/security')],
  },
];

/** TypeDoc writes the pages below `api/`. The page of an entry point lists its symbols. */
const api: DefaultTheme.SidebarItem[] = [
  {
    text: 'API',
    link: '/api/index',
    items: ['index', 'node', 'deno', 'browser', 'worker', 'testing'].map((name) =>
      page(name === 'index' ? 'pdsdb' : `pdsdb/${name}`, `/api/${name}/index`),
    ),
  },
];

export const sidebar: DefaultTheme.SidebarMulti = { '/api/': api, '/': pages };
