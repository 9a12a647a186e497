/** Starts a process that changes a repository until it is killed. */
import { join } from 'node:path';
import { build } from 'vite';
import { root } from '../house/sources.ts';
import { findRuntime } from '../runtime/find-runtime.ts';

/**
 * Node 20 does not run TypeScript. The bundle is inside the project, where it finds the packages and the WebAssembly of
 * SQLite.
 */
const bundle = async (name: string): Promise<string> => {
  const outDir = join(root, 'out', 'test', name);
  await build({
    configFile: false,
    logLevel: 'silent',
    root,
    ssr: { noExternal: true, external: ['sql.js'] },
    build: {
      ssr: join(root, 'test/kill/node-victim.ts'),
      outDir,
      emptyOutDir: true,
      rolldownOptions: { output: { entryFileNames: 'victim.mjs' } },
    },
  });
  return join(outDir, 'victim.mjs');
};

/** @param name The folder of the bundle, below `out/`. Each test file passes another name. */
export const victimCommand = async (runtime: 'bun' | 'deno' | 'node', name: string): Promise<readonly string[]> => {
  switch (runtime) {
    case 'bun':
      return [findRuntime('bun')!, join(root, 'test/kill/node-victim.ts')];
    case 'deno':
      // With all permissions, its lock has the data with which this Node process detects that it has ended.
      return [findRuntime('deno')!, 'run', '--allow-all', join(root, 'test/kill/deno-victim.ts')];
    case 'node':
      return [process.execPath, await bundle(name)];
  }
};
