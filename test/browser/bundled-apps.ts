/** A small app, built and served with each supported bundler. */
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { build as viteBuild, createServer as viteServer } from 'vite';
import { CSP, serveFolder } from './serve-folder.ts';
import type { App } from './serve-folder.ts';

const MAIN = `
import { createRepo } from 'pdsdb/browser';

globalThis.outcome = (async () => {
  const worker = new Worker(WORKER, { type: 'module' });
  const repo = await createRepo('app', { did: 'did:web:app.example', worker });
  await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: '2024-01-02T03:04:05.678Z' });
  const found = await repo.get('app.bsky.feed.post', '3jzfcijpj2z2a');
  await repo.close();
  return found.value.text;
})();
`;
const WORKER = `import { serveRepos } from 'pdsdb/worker';\n\nserveRepos();\n`;
const HTML = '<!doctype html><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,">';

/**
 * The sources of the app, in a folder of the package's, whose node_modules have the package as people have it
 * installed.
 */
const writeApp = async (pkg: string, name: string): Promise<string> => {
  const folder = join(pkg, 'apps', name);
  // Files of an earlier attempt.
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  await symlink(pkg, join(folder, 'node_modules', 'pdsdb'), 'dir');
  await writeFile(join(folder, 'main.js'), MAIN.replace('WORKER', `new URL('./repo-worker.js', import.meta.url)`));
  await writeFile(join(folder, 'repo-worker.js'), WORKER);
  await writeFile(join(folder, 'package.json'), '{ "name": "app", "private": true, "type": "module" }');
  await writeFile(join(folder, 'index.html'), `${HTML}<script type="module" src="./main.js"></script>`);
  return folder;
};

const withVite = async (pkg: string): Promise<App> => {
  const root = await writeApp(pkg, 'vite');
  await viteBuild({ root, configFile: false, logLevel: 'error', worker: { format: 'es' } });
  return serveFolder(join(root, 'dist'));
};

const withViteDev = async (pkg: string): Promise<App> => {
  const root = await writeApp(pkg, 'vite-dev');
  const server = await viteServer({
    root,
    configFile: false,
    logLevel: 'error',
    server: {
      port: 0,
      host: '127.0.0.1',
      fs: { strict: false },
      headers: { 'Content-Security-Policy': CSP },
      hmr: false,
    },
    // If the library were prebundled, it would look for its wasm file beside the bundle.
    optimizeDeps: { exclude: ['pdsdb'] },
  });
  await server.listen();
  const { port } = server.httpServer!.address() as AddressInfo;
  // The imports of the worker are found at its first load, bundled then, and ready at the next visit.
  return { url: `http://127.0.0.1:${port}/`, visits: 4, close: () => server.close() };
};

const withEsbuild = async (pkg: string): Promise<App> => {
  const folder = await writeApp(pkg, 'esbuild');
  const out = join(folder, 'out');
  // esbuild does not change `new URL`, so the worker and the wasm file are copied to the expected paths.
  await esbuild({
    entryPoints: [join(folder, 'main.js'), join(folder, 'repo-worker.js')],
    bundle: true,
    format: 'esm',
    outdir: join(out, 'js'),
    logLevel: 'error',
  });
  await mkdir(join(out, 'wasm'));
  await writeFile(join(out, 'wasm', 'sql-wasm.wasm'), await readFile(join(pkg, 'dist', 'wasm', 'sql-wasm.wasm')));
  await writeFile(join(out, 'index.html'), `${HTML}<script type="module" src="./js/main.js"></script>`);
  return serveFolder(out);
};

/**
 * Without a bundler: installed modules in an import map, and the bundled worker of the package in one
 * piece.
 */
const withImportMap = async (pkg: string): Promise<App> => {
  const imports: Record<string, string> = {
    'pdsdb/browser': '/dist/browser.js',
    '@ipld/dag-cbor': '/node_modules/@ipld/dag-cbor/src/index.js',
    '@noble/curves/': '/node_modules/@noble/curves/',
    '@noble/hashes/': '/node_modules/@noble/hashes/',
    cborg: '/node_modules/cborg/cborg.js',
  };
  const { exports } = JSON.parse(await readFile(join(pkg, 'node_modules', 'multiformats', 'package.json'), 'utf8')) as {
    exports: Record<string, { import?: string }>;
  };
  for (const [name, target] of Object.entries(exports)) {
    if (target.import !== undefined) {
      imports[join('multiformats', name)] = join('/node_modules/multiformats', target.import);
    }
  }
  const map = JSON.stringify({ imports });
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(map))).toString('base64');
  await writeFile(join(pkg, 'main.js'), MAIN.replace('WORKER', `'/dist/bundled/repo-worker.js'`));
  await writeFile(
    join(pkg, 'index.html'),
    `${HTML}<script type="importmap">${map}</script><script type="module" src="/main.js"></script>`,
  );
  return serveFolder(pkg, { csp: `${CSP} 'sha256-${digest}'` });
};

export const apps = {
  'vite build': withVite,
  'vite dev': withViteDev,
  esbuild: withEsbuild,
  'an import map': withImportMap,
} as const satisfies Record<string, (pkg: string) => Promise<App>>;

export type AppName = keyof typeof apps;
export const APP_NAMES = Object.keys(apps) as AppName[];
