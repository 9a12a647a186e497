import { defineConfig } from 'vite';

// `pdsdb` is resolved through the exports of its package.json. Build the library first.
export default defineConfig({
  // Relative paths, so that the built folder can be anywhere.
  base: './',
  build: { target: 'es2022', emptyOutDir: true, modulePreload: { polyfill: false } },
  worker: { format: 'es' },
});
