// Builds `dist/` from `src/`: JavaScript and declarations by the compiler, beside them what is JavaScript already.
// Plain JavaScript itself, because Node 20 runs no TypeScript.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeSha256 } from './build-wasm.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist') } } });
const out = values.out;

await writeSha256();
rmSync(out, { recursive: true, force: true });
// The compiler is found as a package would be, so that this runs the same under npm and by itself.
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.json'), '--outDir', out], { stdio: 'inherit' });
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
