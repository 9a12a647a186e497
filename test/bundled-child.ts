/** Programs that tests run in processes of their own. They are bundled first, because Node 20 runs no TypeScript. */
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import { root } from './house/sources.ts';

/**
 * Bundles a program with what it imports of the sources, and returns the path of the bundle.
 * @param entry The path of the program from the root, whose file name no other program has.
 */
export const bundleChild = async (entry: string): Promise<string> => {
  // Inside the project, where its packages are found.
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
