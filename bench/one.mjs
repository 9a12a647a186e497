// Measures one contender in one operation, in a separate process, after a warm-up. Prints JSON.
// `node one.mjs <operation> <contender> <size> <runs>`
import { existsSync, readFileSync } from 'node:fs';
import { readInput } from './input.mjs';

const [operation, name, size, runs] = process.argv.slice(2);
const { contenders } = await import(`./operations/${operation}.mjs`);
const input = readInput(Number(size));
const run = await contenders[name].load(input);

const MEBIBYTE = 1024;
// From Linux, because `resourceUsage` includes the process that has started this one.
const peakKibibytes = () => {
  const line = existsSync('/proc/self/status')
    ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
    : null;
  return line === null ? process.resourceUsage().maxRSS : Number(line[1]);
};
const peak = () => peakKibibytes() / MEBIBYTE;
const before = peak();
// The first runs include the compiler.
const WARM_UP = Number(runs) > 1 ? 1 : 0;
const wall = [];
const cpu = [];
for (let i = -WARM_UP; i < Number(runs); i++) {
  const used = process.cpuUsage();
  const start = performance.now();
  await run();
  const took = performance.now() - start;
  const { user, system } = process.cpuUsage(used);
  if (i >= 0) {
    wall.push(took);
    cpu.push((user + system) / 1000);
  }
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
console.log(
  JSON.stringify({ wall: median(wall), cpu: median(cpu), runs: wall.length, peak: peak(), growth: peak() - before }),
);
process.exit(0);
