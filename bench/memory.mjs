// The memory that a stream from a file takes, beyond what the process had before: `import` into a folder, or `verify`.
//   node memory.mjs import 200000
// Needs `npm run build`, and the sample `bench/out/200000.car`, which `npm run bench -- --sizes 200000` makes. Prints
// the growth of the peak in MiB, the processor time, and the largest parts as the process has seen them every 50 ms.
import { createReadStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { verifyCar } from '../dist/index.js';
import { createRepo } from '../dist/node.js';
import { DID, signer } from './input.mjs';

const [operation, size] = process.argv.slice(2);
const MEBIBYTE = 1024 * 1024;
const memory = (field) =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;

const base = memory('VmRSS');
const key = signer.did();
const largest = {};
const poll = () => {
  for (const [name, bytes] of Object.entries(process.memoryUsage())) {
    largest[name] = Math.max(largest[name] ?? 0, Math.round(bytes / MEBIBYTE));
  }
};
poll();
const timer = setInterval(poll, 50);
const car = createReadStream(fileURLToPath(new URL(`out/${size}.car`, import.meta.url)));
const used = process.cpuUsage();
const onProgress = poll;
if (operation === 'verify') {
  const { ok } = await verifyCar(car, { did: DID, key, onProgress });
  if (!ok) throw new Error('not valid');
} else {
  const folder = mkdtempSync(join(tmpdir(), 'pdsdb-bench-'));
  try {
    const repo = await createRepo(join(folder, 'repo'), { did: DID });
    await repo.importCar(car, { key, onProgress });
    await repo.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
clearInterval(timer);
const { user, system } = process.cpuUsage(used);
console.log(
  JSON.stringify({
    growth: Math.round(memory('VmHWM') - base),
    base: Math.round(base),
    cpu: Math.round((user + system) / 1000),
    largest,
  }),
);
