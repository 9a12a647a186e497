import { defineConfig } from 'vitest/config';

/** Two cores decide, and other work may share them: a test that takes seconds alone takes a minute there. */
const PATIENCE_MS = 120_000;

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
          // Processes are killed and raced here, on a machine that may stand still for seconds.
          retry: process.env['CI'] === undefined ? 0 : 1,
        },
      },
      {
        extends: true,
        // After the others, and one file at a time: a browser has processes of its own, and some tests look at clocks.
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          // Browsers fail by themselves now and then (they do not start, or lose their debugger). What needed a second try
          // is named in the report.
          retry: process.env['CI'] === undefined ? 0 : 2,
        },
      },
    ],
  },
});
