import { defineConfig } from 'vitest/config';

/** Two cores decide, and other work may share them: a test that takes seconds alone takes a minute there. */
const PATIENCE_MS = 120_000;

/** Files at a time; vitest would leave one core idle, and a test often waits for a disk or a browser. */
const WORKERS = 2;

/** How long a page stands still, and how soon the next tab takes over, is only seen where nothing else runs. */
const LOOK_AT_CLOCKS = ['import', 'kill', 'tabs', 'viewer-large'].map((name) => `test/browser/${name}.test.ts`);

/**
 * Browsers fail by themselves now and then (they do not start, or lose their debugger). What needed a second try is
 * named in the report.
 */
const BROWSER_RETRIES = process.env['CI'] === undefined ? 0 : 2;

export default defineConfig({
  test: {
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/browser/**'],
          maxWorkers: WORKERS,
          // Processes are killed and raced here, on a machine that may stand still for seconds.
          retry: process.env['CI'] === undefined ? 0 : 1,
        },
      },
      {
        extends: true,
        // After the others: a browser has processes of its own.
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          exclude: LOOK_AT_CLOCKS,
          maxWorkers: WORKERS,
          sequence: { groupOrder: 1 },
          retry: BROWSER_RETRIES,
        },
      },
      {
        extends: true,
        test: {
          name: 'clock',
          include: LOOK_AT_CLOCKS,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          retry: BROWSER_RETRIES,
        },
      },
    ],
  },
});
