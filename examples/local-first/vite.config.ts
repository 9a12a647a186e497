import { defineConfig } from 'vite';
import { clientMetadata } from './client-metadata.ts';
import { offline } from './offline.ts';

// `pdsdb` is resolved through the exports of its package.json. Build the library first.
export default defineConfig({
  // Relative paths, so that the built folder can be anywhere.
  base: './',
  build: { target: 'es2022', emptyOutDir: true, modulePreload: { polyfill: false } },
  // Servers read the metadata of the client at this address, for example https://example.com/notes/.
  plugins: [clientMetadata(process.env['VITE_NOTES_URL']), offline()],
  worker: { format: 'es' },
});
