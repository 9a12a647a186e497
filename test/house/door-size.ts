/** The size of an entry point. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { root } from './sources.ts';

export interface DoorSize {
  /**
   * Bytes of everything that the door brings along, minified and compressed; the WebAssembly of SQLite, a file of its
   * own, is not in it.
   */
  readonly gzip: number;
  /** The modules that are in it, from the root of the project. */
  readonly modules: readonly string[];
}

export const doorSize = async (door: string): Promise<DoorSize> => {
  const { metafile, outputFiles } = await build({
    entryPoints: [join(root, door)],
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    target: 'esnext',
    minify: true,
    write: false,
    metafile: true,
    external: ['node:*', '*.wasm'],
    // sql.js asks for these where it thinks it is in Node; a browser never gets there.
    alias: { fs: 'node:fs', path: 'node:path', crypto: 'node:crypto' },
    logLevel: 'silent',
  });
  return { gzip: gzipSync(outputFiles[0]!.contents, { level: 9 }).length, modules: Object.keys(metafile.inputs) };
};
