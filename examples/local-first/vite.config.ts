import { defineConfig } from 'vite';
import { offline } from './offline.ts';

// `pdsdb` is found as everybody finds it, through the exports of its package.json: build the library first.
export default defineConfig({
  // Paths from the page on, so that the built folder can lie anywhere.
  base: './',
  build: { target: 'es2022', emptyOutDir: true, modulePreload: { polyfill: false } },
  plugins: [offline()],
  worker: { format: 'es' },
});
