/** Adds the service worker to the built files, with a list of these files. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

const SOURCE: URL = new URL('./service-worker.js', import.meta.url);

/**
 * The list is part of the script, so that a changed file changes the script, and the browser fetches all files
 * again. `vite dev` has no service worker, because its cache would hide edits.
 */
export const offline = (): Plugin => ({
  name: 'offline',
  apply: 'build',
  enforce: 'post',
  generateBundle(_options, bundle) {
    const files = Object.values(bundle);
    const hash = createHash('sha256');
    for (const file of files) {
      hash.update(file.fileName).update(file.type === 'chunk' ? file.code : file.source);
    }
    const list = ['./', ...files.map(({ fileName }) => `./${fileName}`).sort()];
    const head = `const VERSION = '${hash.digest('hex').slice(0, 16)}';\nconst FILES = ${JSON.stringify(list)};\n`;
    this.emitFile({ type: 'asset', fileName: 'service-worker.js', source: head + readFileSync(SOURCE, 'utf8') });
  },
});
