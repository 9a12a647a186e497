import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // The machine that decides has two cores, and some tests fill one of them for seconds.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
