// Measures one contender in one operation, in a separate process. Prints JSON.
// `node one.mjs <operation> <contender> <size> <runs>`: the first run, and the median of `runs` later ones.
import { readFileSync } from 'node:fs';
import { readInput } from './input.mjs';

const [operation, name, size, runs] = process.argv.slice(2);
const { contenders } = await import(`./operations/${operation}.mjs`);

const KIBIBYTES = 1024;
/** From Linux, because `resourceUsage` includes the process that has started this one. */
const memory = (field) => {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'));
  return Number(line[1]) / KIBIBYTES;
};

const base = memory('VmRSS');
const input = readInput(Number(size));
const run = await contenders[name].load(input);

/** @param n The number of the run: each reads other records. */
const measure = async (n) => {
  const used = process.cpuUsage();
  const start = performance.now();
  await run(n);
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(used);
  return { wall, cpu: (user + system) / 1000 };
};

// The first run includes the compilers of JavaScript and WebAssembly.
const first = await measure(0);
const later = [];
for (let n = 1; n <= Number(runs); n++) {
  later.push(await measure(n));
}
const median = (field) => later.map((one) => one[field]).toSorted((a, b) => a - b)[later.length >> 1];
console.log(JSON.stringify({ first, wall: median('wall'), cpu: median('cpu'), growth: memory('VmHWM') - base }));
process.exit(0);
