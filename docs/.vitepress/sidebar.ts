/** The contents of the site. `test/site/pages.test.ts` fails if a page is missing here. */
import type { DefaultTheme } from 'vitepress';

const page = (text: string, link: string): DefaultTheme.SidebarItem => ({ text, link });

const pages: DefaultTheme.SidebarItem[] = [
  {
    text: 'Guides',
    items: [
      page('View a CAR', '/guides/view-a-car'),
      page('Keep an account in a browser', '/guides/keep-an-account-in-a-browser'),
      page('Records', '/records'),
      page('Back up and restore', '/guides/back-up-and-restore'),
      page('Keep a copy of an account', '/guides/keep-a-copy'),
      page('Keep many accounts in PostgreSQL', '/guides/keep-many-accounts-in-postgres'),
      page('Follow a repository', '/guides/follow-a-repository'),
      page('Write offline', '/guides/write-offline'),
      page('History and proofs', '/guides/history-and-proofs'),
      page('Import from a PDS', '/guides/import-from-a-pds'),
      page('Records as files', '/guides/records-as-files'),
      page('Keep blobs in S3', '/guides/keep-blobs-in-s3'),
      page('Move an account', '/guides/migrate'),
      page('Verify and repair', '/guides/verify-and-repair'),
      page('Several tabs', '/guides/several-tabs'),
      page('Bundlers', '/guides/bundlers'),
      page('Keys', '/guides/keys'),
      page('Write an adapter', '/write-an-adapter'),
      page('Coming from other software', '/coming-from'),
      page('Live examples', '/live'),
    ],
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
    items: [
      page('Entry points', '/entry-points'),
      page('Command', '/command'),
      page('Error codes', '/errors'),
      page('Guarantees', '/guarantees'),
      page('Layout on disk', '/layout'),
      page('Limits', '/limits'),
      page('Benchmarks', '/benchmarks'),
      page('Durability', '/durability'),
      page('PostgreSQL in operation', '/postgres'),
      page('Security', '/security'),
    ],
  },
];

/** TypeDoc writes the pages below `api/`. The page of an entry point lists its symbols. */
const api: DefaultTheme.SidebarItem[] = [
  {
    text: 'API',
    link: '/api/index',
    items: ['index', 'node', 'deno', 'browser', 'worker', 's3', 'sync', 'postgres', 'testing'].map((name) =>
      page(name === 'index' ? 'pdsdb' : `pdsdb/${name}`, `/api/${name}/index`),
    ),
  },
];

export const sidebar: DefaultTheme.SidebarMulti = { '/api/': api, '/': pages };
