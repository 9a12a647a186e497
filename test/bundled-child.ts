/** Programs that tests run in separate processes. They are bundled first, because Node 20 does not run TypeScript. */
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { root } from './house/sources.ts';

/**
 * Bundles a program with its imports, and returns the path of the bundle.
 * @param entry The path of the program from the root. Its file name must be unique.
 */
export const bundleChild = async (entry: string): Promise<string> => {
  // Inside the project, where the bundle finds its packages.
  const outfile = join(root, 'out', 'test', 'children', basename(entry).replace(/\.ts$/, '.mjs'));
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    target: 'node20',
    logLevel: 'warning',
  });
  return outfile;
};
