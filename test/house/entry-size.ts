/** The size of an entry point. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './sources.ts';

export interface EntrySize {
  /** The compressed bytes of the minified bundle. The WebAssembly of SQLite is a separate file and does not count. */
  readonly gzip: number;
  /** The paths of the bundled modules, relative to the root of the project. */
  readonly modules: readonly string[];
}

/** Bundles the entry point at `path` and measures the bundle. */
export const entrySize = async (path: string): Promise<EntrySize> => {
  const { metafile, outputFiles } = await build({
    entryPoints: [join(root, path)],
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    target: 'esnext',
    minify: true,
    write: false,
    metafile: true,
    external: ['node:*', '*.wasm'],
    // sql.js requires these in Node. A browser does not reach that code.
    alias: { fs: 'node:fs', path: 'node:path', crypto: 'node:crypto' },
    logLevel: 'silent',
  });
  return { gzip: gzipSync(outputFiles[0]!.contents, { level: 9 }).length, modules: Object.keys(metafile.inputs) };
};
