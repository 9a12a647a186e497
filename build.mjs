// Builds `dist/` from `src/`: JavaScript and declarations by the compiler, beside them what is JavaScript already.
// Plain JavaScript itself, because Node 20 runs no TypeScript.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { writeLicenses } from './build-licenses.mjs';
import { removeUnreached } from './build-prune.mjs';
import { writeTypes } from './build-types.mjs';
import { writeSha256 } from './build-wasm.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist') } } });
const out = values.out;

await writeSha256();
rmSync(out, { recursive: true, force: true });
// The compiler is found as a package would be, so that this runs the same under npm and by itself.
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.json'), '--outDir', out], {
  stdio: 'inherit',
});
if (status !== 0) {
  process.exit(status ?? 1);
}

const isCopied = (name) => /\.(js|mjs|wasm|d\.ts)$/.test(name);
for (const entry of readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })) {
  if (entry.isFile() && isCopied(entry.name)) {
    const from = join(entry.parentPath, entry.name);
    const to = join(out, relative(join(root, 'src'), from));
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(from, to);
  }
}
chmodSync(join(out, 'cli.js'), 0o755);

// Two dependencies come in forms that a browser without a bundler cannot import: each is put into a module beside its
// importer.
const replaceOnce = (file, from, to) => {
  const path = join(out, file);
  const parts = readFileSync(path, 'utf8').split(from);
  if (parts.length !== 2) {
    throw new Error(`${path} must contain ${from} exactly once`);
  }
  writeFileSync(path, parts.join(to));
};
const replaceImport = (file, from, to) => replaceOnce(file, `from '${from}'`, `from '${to}'`);

// The stock file, as it is. The one for browsers, which asks for nothing of Node, runs everywhere. A module is strict,
// and in strict mode `module` has to be declared.
const sqlJs = join(root, 'node_modules', 'sql.js', 'dist');
const stock = readFileSync(join(sqlJs, 'sql-wasm-browser.js'), 'utf8');
writeFileSync(
  join(out, 'wasm', 'database', 'sql-js.js'),
  `const stock = { exports: {} };\n(function (module, exports, define) {\n${stock}\n})(stock, stock.exports);\nexport default stock.exports;\n`,
);
replaceImport('wasm/database/sqlite.js', 'sql.js', './sql-js.js');
copyFileSync(join(sqlJs, 'sql-wasm.wasm'), join(out, 'wasm', 'sql-wasm.wasm'));
// The sources read it from the package sql.js.
for (const [file, place] of [
  ['node-sqlite-wasm.js', '../../../node_modules/sql.js/dist'],
  ['deno-sqlite-wasm.js', '../../../node_modules/sql.js/dist'],
  ['deno-wasm-source.js', 'sql.js/dist'],
]) {
  replaceOnce(`adapters/platform/${file}`, `'${place}/sql-wasm.wasm'`, `'../../wasm/sql-wasm.wasm'`);
}

/** The files in the bundles. */
const bundled = new Set(['node_modules/sql.js/dist/sql-wasm-browser.js']);
const bundle = async (contents, outfile, options) => {
  const { metafile } = await build({
    stdin: { contents, resolveDir: root },
    nodePaths: [join(root, 'node_modules')],
    ...(outfile === undefined ? {} : { outfile: join(out, outfile) }),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'warning',
    metafile: true,
    ...options,
  });
  for (const file of Object.keys(metafile.inputs)) {
    bundled.add(file);
  }
};

// The three checks that are used, out of CommonJS.
const syntaxChecks = ['did:isValidDid', 'nsid:isValidNsid', 'recordkey:isValidRecordKey'].map((check) =>
  check.split(':'),
);
await bundle(
  syntaxChecks.map(([file, name]) => `export { ${name} } from '@atproto/syntax/dist/${file}.js';`).join('\n'),
  'core/syntax/atproto-syntax.js',
);
replaceImport('core/syntax/identifiers.js', '@atproto/syntax', './atproto-syntax.js');

// A worker in one file, for pages without a bundler: import maps do not reach into workers. The module that names the
// wasm file is one folder deeper than the bundle.
const bundledWorker = 'bundled/repo-worker.js';
await bundle(
  `import { serveRepos } from '${pathToFileURL(join(out, 'worker.js')).pathname}';\nserveRepos();`,
  bundledWorker,
  { minify: true },
);
replaceOnce(bundledWorker, '../../wasm/sql-wasm.wasm', '../wasm/sql-wasm.wasm');

/** Commander starts processes for verbs that are programs of their own. Ours are not, and Node needs 10 ms to load that. */
const withoutChildren = {
  name: 'without-children',
  setup(build) {
    const isCommander = ({ importer }) => importer.includes('/node_modules/commander/');
    build.onResolve({ filter: /^node:child_process$/ }, (args) =>
      isCommander(args) ? { path: 'child-processes', namespace: 'empty' } : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'empty' }, () => ({ contents: '' }));
  },
};

const WASM_FROM_BUNDLE = '../../wasm/sql-wasm.wasm';

// The command: `bundled/command.js`, and the verbs for the network in another file. A process loads it in a third of the
// time of its modules.
await bundle(`export { main } from '${pathToFileURL(join(out, 'cli', 'main.js')).pathname}';`, undefined, {
  outdir: join(out, 'bundled'),
  entryNames: 'command',
  chunkNames: 'command-[name]-[hash]',
  splitting: true,
  platform: 'node',
  minify: true,
  // The user installs it beside pdsdb.
  external: ['pg'],
  plugins: [withoutChildren],
  // Commander is CommonJS, and asks for modules of Node.
  banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
});
const commandFiles = readdirSync(join(out, 'bundled')).filter((name) => name.startsWith('command'));
const naming = commandFiles.filter((name) =>
  readFileSync(join(out, 'bundled', name), 'utf8').includes(WASM_FROM_BUNDLE),
);
if (naming.length !== 1) {
  throw new Error(`one file of the command must name the wasm file, not ${naming.join(', ') || 'none'}`);
}
replaceOnce(`bundled/${naming[0]}`, WASM_FROM_BUNDLE, '../wasm/sql-wasm.wasm');
replaceOnce('cli.js', './cli/main.js', './bundled/command.js');

writeLicenses(out, join(root, 'node_modules'), bundled);
writeTypes(out, join(root, 'node_modules'));
removeUnreached(out, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
