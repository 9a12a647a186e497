// node test/fuzz/fuzz.mjs --seconds 60 [--seed n] [--target name]: random damage to all untrusted input. node
// test/fuzz/fuzz.mjs --target name --case n: repeats one case. Plain JavaScript, because Node 20 does not run
// TypeScript. It bundles the worker first.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';

/** A case takes milliseconds and little memory. The limit allows for other processes on the machine. */
const HANG_MS = 60_000;
const MEMORY_MB = 512;

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    target: { type: 'string' },
    case: { type: 'string' },
  },
});
const seconds = values.case === undefined ? Number(values.seconds) : 0;
const seed = Number(values.case ?? values.seed ?? Date.now() % 1_000_000);
// Three folders deep, as the sources that name the WebAssembly of sql.js.
const outfile = join(here, '..', '..', 'out', 'test', 'fuzz', 'fuzz-worker.mjs');
mkdirSync(dirname(outfile), { recursive: true });
await build({
  entryPoints: [join(here, 'fuzz-worker.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
});

console.log(`seed ${seed}, ${seconds} seconds`);
const place = new Int32Array(new SharedArrayBuffer(12));
const worker = new Worker(outfile, {
  workerData: { seed, seconds, place, only: values.target },
  resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
});
const whereItStood = () => `target ${place[0]}, case ${place[1] >>> 0}, after ${place[2]} cases`;

let seen = 0;
let since = Date.now();
const watch = setInterval(() => {
  if (place[2] !== seen) {
    seen = place[2];
    since = Date.now();
  } else if (Date.now() - since > HANG_MS) {
    console.error(`hangs: ${whereItStood()}`);
    process.exitCode = 1;
    clearInterval(watch);
    worker.terminate();
  }
}, 1000);

worker.on('error', (error) => {
  console.error(`ended at ${whereItStood()}:`, error);
  process.exitCode = 1;
});
worker.on('message', ({ counts, findings }) => {
  const total = counts.reduce((sum, { cases }) => sum + cases, 0);
  console.table(counts.map(({ slowestMs, ...rest }) => ({ ...rest, slowestMs: Math.round(slowestMs) })));
  // One finding of each kind, because the same fault is found many times.
  const kinds = new Map(
    findings.map((finding) => [`${finding.target} ${finding.error.split('\n').slice(0, 2).join()}`, finding]),
  );
  for (const { target, seed: found, error } of kinds.values()) {
    console.error(`\nfinding: --target ${JSON.stringify(target)} --case ${found}\n${error}`);
  }
  console.log(`${total} cases, ${findings.length} findings of ${kinds.size} kinds`);
  process.exitCode = findings.length === 0 ? 0 : 1;
});
worker.on('exit', () => clearInterval(watch));
