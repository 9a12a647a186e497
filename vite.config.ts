import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/longest-first.ts';

/** Two cores, which other work may share, need minutes for what takes seconds on an idle machine. */
const TIMEOUT_MS = 120_000;

/** Files at a time. The default leaves one of two cores idle, and a test often waits for a disk or a browser. */
const WORKERS = 2;

/** The rules of the tree: `npm run check`. They parse every file and compile the documentation's code. */
const TREE = ['test/{docs,house,practices}.test.ts'];

/**
 * These change globals or load modules again, or hand the number of an open file to a socket. Each gets a process of
 * its own. The others share threads, which load each module once and save half of the time. When a thread ends, Node
 * closes the numbers that the thread opened. One that a socket has closed may be another file by then: it was the pipe
 * to the next test process, which ended (`Worker exited unexpectedly`).
 */
const ISOLATED = [
  'test/vectors.test.ts',
  'test/wasm/hash/sha256-stream.test.ts',
  'test/cli/{car-argument,write-file}.test.ts',
  'test/adapters/{origin/opfs-root,platform/node-secp256k1,rpc/entry-point,tabs/page-left,tabs/silence}.test.ts',
];

/** What takes minutes, or needs programs that are not everywhere. `npm run test:slow`. */
const SLOW = [
  'test/{crash,fuzz,hostile,kill,large,peers,recipes,runtime}/**/*.test.ts',
  'test/examples.test.ts',
  'test/**/*.slow.test.ts',
];

/** Chromium freezes a page 0.3 s after an event, in which the worker must release its files. Beside other browsers it may not. */
const ALONE = ['test/browser/one-worker.test.ts'];

/** Suites with a package.json of their own, which .ci/run installs. */
const ENVIRONMENTS = ['test/environments/**/*.test.ts'];

/** `test/browser/use-browser.ts` then keeps its browsers for the next file, and this ends them. */
const SHARE_BROWSERS = { PDSDB_SHARE_BROWSERS: '1' };
const CLOSE_BROWSERS = 'test/browser/close-browsers.ts';

/** Projects of one order share the workers. An order begins when the one before it has ended. */
export default defineConfig({
  test: {
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    maxWorkers: WORKERS,
    sequence: { sequencer: LongestFirst },
    // .ci/run asks for it, and test/print-coverage.mjs prints a line per folder. It fails nothing.
    coverage: { include: ['src/core/**/*.ts'], reporter: ['json-summary'], reportsDirectory: 'out/coverage' },
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/{adapters,cli,core,damage,entry-points,sync,wasm}/**/*.test.ts'],
          exclude: [...SLOW, ...ISOLATED],
          pool: 'threads',
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'isolated', include: ISOLATED, exclude: SLOW, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: 'tree', include: TREE, sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        // A process loads the modules once for all its files.
        test: { name: 'slow', include: SLOW, isolate: false, sequence: { groupOrder: 2 } },
      },
      {
        extends: true,
        // The files of a process share its browsers.
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          exclude: ALONE,
          isolate: false,
          env: SHARE_BROWSERS,
          globalSetup: [CLOSE_BROWSERS],
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 4 } },
      },
      {
        extends: true,
        // The documentation site, as `npm run docs:build` has written it.
        test: { name: 'site', include: ['test/site/**/*.test.ts'], sequence: { groupOrder: 3 } },
      },
      {
        extends: true,
        // Real PDSs, from the packages of test/network. Each file starts its own. A third worker works while others wait.
        // The files of a process share the modules of the PDS, and browsers.
        test: {
          name: 'network',
          include: ['test/network/*.test.ts'],
          isolate: false,
          env: SHARE_BROWSERS,
          globalSetup: [CLOSE_BROWSERS],
          maxWorkers: 3,
          sequence: { groupOrder: 5 },
        },
      },
      {
        extends: true,
        // A real S3 server, which the project starts once.
        test: {
          name: 's3',
          include: ['test/s3/*.test.ts'],
          globalSetup: ['test/s3/start-server.ts'],
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        // One server of PostgreSQL for all files, with the drivers of test/postgres.
        // `pdsdb/postgres` imports `pg`, which a program installs.
        resolve: { alias: { pg: fileURLToPath(new URL('test/postgres/node_modules/pg', import.meta.url)) } },
        test: {
          name: 'postgres',
          include: ['test/postgres/*.test.ts'],
          isolate: false,
          globalSetup: ['test/postgres/start-server.ts'],
          sequence: { groupOrder: 6 },
        },
      },
      {
        extends: true,
        test: {
          name: 'environments',
          include: ENVIRONMENTS,
          globalSetup: ['test/environments/install-package.ts'],
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
