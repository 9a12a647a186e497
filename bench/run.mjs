// `npm run bench`: every operation in pdsdb and the peers, each contender in a separate process, one after the other.
//   --sizes 1000,10000,100000   records in the sample
//   --million                   also 1,000,000 records, for ours alone
//   --only verify,import        these operations
//   --runs 5                    runs of each contender after the first, and first runs in a fresh process
//   --browsers                  also pdsdb in Chromium and Firefox, if they are installed
//   --write                     writes docs/benchmarks.md and its plots; else they are only printed
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeInput } from './input.mjs';
import { reportPage, tableOf } from './report.mjs';
import { plotOf } from './plot.mjs';

const OPERATIONS = [
  'verify',
  'import',
  'open',
  'get',
  'list',
  'list-likes',
  'commits',
  'concurrent',
  'batch',
  'export',
  'diff',
  'build',
  'stream',
  'hash',
];
const MILLION = 1_000_000;

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,10000,100000' },
    million: { type: 'boolean', default: false },
    browsers: { type: 'boolean', default: false },
    only: { type: 'string', default: OPERATIONS.join(',') },
    runs: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
});
const sizes = values.sizes.split(',').map(Number);

/** Sizes up to this one have the median of several first runs, each in a process of its own. */
const MOST_COLD = 10_000;

const medianOf = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

/** Measures a contender in processes of its own. */
const measure = (operation, name, size, runs, coldRuns) => {
  const whole = measureOnce(operation, name, size, runs);
  if (whole === undefined) {
    return undefined;
  }
  const firsts = [whole.first];
  while (firsts.length < coldRuns) {
    firsts.push(measureOnce(operation, name, size, 0).first);
  }
  const median = (field) => medianOf(firsts.map((one) => one[field]));
  return { ...whole, first: { wall: median('wall'), cpu: median('cpu') } };
};

const measureOnce = (operation, name, size, runs) => {
  const one = fileURLToPath(new URL('one.mjs', import.meta.url));
  const args = ['--max-old-space-size=8192', one, operation, name, String(size), String(runs)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) {
    process.stderr.write(`${operation}, ${name}, ${size} records: ${stderr}\n`);
    return undefined;
  }
  return JSON.parse(stdout.trim().split('\n').at(-1));
};

const results = [];
for (const operation of values.only.split(',')) {
  const module = await import(`./operations/${operation}.mjs`);
  const { title, contenders, targets, against } = module;
  const wanted = module.sizes ?? [...sizes, ...(values.million ? [MILLION] : [])];
  const rows = [];
  for (const size of wanted) {
    await makeInput(size);
    for (const [name, { does, skips }] of Object.entries(contenders)) {
      if (size === MILLION && !name.startsWith('pdsdb')) {
        continue;
      }
      // With a million records, the first run takes minutes, and is the only one.
      const runs = size === MILLION && !module.isShort ? 0 : Math.max(Number(values.runs), module.runs ?? 0);
      const measured = measure(operation, name, size, runs, size <= MOST_COLD ? Number(values.runs) : 1);
      rows.push({ size, name, does, skips, ...measured });
      process.stderr.write(
        `${operation} ${size} ${name}: ${measured === undefined ? 'failed' : `first ${measured.first.wall.toFixed(1)} ms, later ${measured.wall?.toFixed(1)} ms`}\n`,
      );
    }
  }
  const result = { operation, title, targets, against, divide: module.divide, rows };
  results.push(result);
  console.log(`\n${title}\n${tableOf(result)}`);
}

const browsers = [];
if (values.browsers) {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [fileURLToPath(new URL('browser.mjs', import.meta.url)), '--runs', values.runs],
    { encoding: 'utf8' },
  );
  process.stderr.write(stderr);
  browsers.push(
    ...stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line)),
  );
  console.log(`\nIn browsers\n${stdout}`);
}

if (values.write) {
  const docs = new URL('../docs/', import.meta.url);
  mkdirSync(new URL('benchmarks/', docs), { recursive: true });
  for (const result of results) {
    writeFileSync(new URL(`benchmarks/${result.operation}.svg`, docs), plotOf(result));
  }
  writeFileSync(
    new URL('benchmarks.md', docs),
    reportPage(results, browsers, readFileSync(new URL('notes.md', import.meta.url), 'utf8')),
  );
}
