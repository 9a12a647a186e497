// The documentation site. `node docs/site.mjs serve` serves it and shows each change of a page at once;
// `node docs/site.mjs build` writes it to out/site. Both install the packages of the site if they are missing.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const docs = import.meta.dirname;
const root = join(docs, '..');
const [mode] = process.argv.slice(2);
if (mode !== 'serve' && mode !== 'build') {
  throw new Error(`Cannot run the documentation site: "${mode}" is not a mode. Use serve or build.`);
}

const run = (program, args, cwd = root) => {
  const { status } = spawnSync(program, args, {
    cwd,
    stdio: 'inherit',
    env: { ...process.env, NODE_ENV: 'production' },
  });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
};
const runNode = (args, cwd) => run(process.execPath, args, cwd);

if (!existsSync(join(docs, 'node_modules', 'vitepress'))) {
  run('npm', ['ci', '--no-audit', '--no-fund', '--include=dev', '--prefix', docs]);
}

// The examples import the package by its name, from dist/.
runNode([join(root, 'build.mjs')]);
const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
for (const [example, name] of [
  ['viewer', 'viewer'],
  ['local-first', 'notes'],
]) {
  const folder = join(docs, 'public', name);
  runNode([vite, 'build', join(root, 'examples', example), '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn']);
}
mkdirSync(join(docs, 'public'), { recursive: true });
copyFileSync(join(root, 'examples', 'viewer', 'icon.svg'), join(docs, 'public', 'icon.svg'));

rmSync(join(docs, 'api'), { recursive: true, force: true });
runNode([join(docs, 'node_modules', 'typedoc', 'bin', 'typedoc'), '--logLevel', 'Error'], docs);

const vitepress = join(docs, 'node_modules', 'vitepress', 'bin', 'vitepress.js');
runNode(mode === 'serve' ? [vitepress, 'dev', docs] : [vitepress, 'build', docs]);
