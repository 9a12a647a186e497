// Measures one contender in one operation, in a separate process.
// `node one.mjs <operation> <contender> <size> <runs>` prints JSON: the first run, and the median of `runs` later ones.
// A parent that sends messages (round.mjs) gets a measured run for each: after a warm-up, if it asks for one.
import { readFileSync } from 'node:fs';
import { readInput } from './input.mjs';
import { medianOf } from './interval.mjs';

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

/** The number of the next run: each reads other records. */
let n = 0;
const measure = async () => {
  const used = process.cpuUsage();
  const start = performance.now();
  await run(n++);
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(used);
  return { wall, cpu: (user + system) / 1000 };
};

/** Runs for a second, at most 300 times, so that the code that repeats is compiled. */
const warmUp = async () => {
  const start = performance.now();
  for (let i = 0; i < 300 && performance.now() - start < 1000; i++) {
    await run(n++);
  }
};

/** Runs for a tenth of a second, or once if that takes longer, and returns the medians: other processes ran before. */
const measureSome = async () => {
  const some = [];
  const start = performance.now();
  do {
    some.push(await measure());
  } while (performance.now() - start < 100);
  return { wall: medianOf(some.map(({ wall }) => wall)), cpu: medianOf(some.map(({ cpu }) => cpu)) };
};

// The first run includes the compilers of JavaScript and WebAssembly.
const first = await measure();
const growth = () => memory('VmHWM') - base;

if (process.send === undefined) {
  const later = [];
  for (let i = 0; i < Number(runs); i++) {
    later.push(await measure());
  }
  const [wall, cpu] = [medianOf(later.map((one) => one.wall)), medianOf(later.map((one) => one.cpu))];
  console.log(JSON.stringify({ first, wall, cpu, growth: growth() }));
  process.exit(0);
}

// An exit, and not a signal, removes the scratch folders.
process.on('disconnect', () => process.exit(0));
process.on('message', async (wanted) => {
  if (wanted === 'warm up') {
    await warmUp();
  }
  process.send({ ...(await measureSome()), growth: growth() });
});
process.send({ first, growth: growth() });
