/**
 * Power cuts until a given number: `node test/crash/run-cuts.mjs --cuts 1000000`. Also `--seed <n>`, of the first
 * workload, and `--kind disk` or `--kind origin`. The exit code is 1 if data was lost.
 */
import { parseArgs } from 'node:util';
import { createServer } from 'vite';

const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    kind: { type: 'string', default: 'disk' },
  },
});

const server = await createServer({
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
});
const { runner } = server.environments.ssr;
const { cutMany } = await runner.import('/test/crash/cut-many.ts');
const { inOrigin, onDisk } = await runner.import('/test/crash/storage-kind.ts');

const start = performance.now();
const tell = (counts, seed) => {
  const seconds = (performance.now() - start) / 1000;
  console.log(
    JSON.stringify({ seed, ...counts, seconds: Math.round(seconds), perSecond: Math.round(counts.cuts / seconds) }),
  );
};
const kind = values.kind === 'disk' ? onDisk : inOrigin;
const counts = await cutMany(kind, { cuts: Number(values.cuts), seed: Number(values.seed), onProgress: tell });
await server.close();
process.exitCode = counts.lost + counts.corrupt === 0 ? 0 : 1;
