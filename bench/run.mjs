// `npm run bench`: every operation in pdsdb and the peers, each contender in a separate process, one run of each in turn.
//   --sizes 1000,100000         records in the sample
//   --million                   also 1,000,000 records, for ours alone
//   --only verify,import        these operations
//   --runs 15                   rounds, in which the contenders take turns
//   --browsers                  also pdsdb in Chromium and Firefox, if they are installed
//   --write                     writes docs/benchmarks.md and its plots; else they are only printed
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeInput } from './input.mjs';
import { measureInTurn } from './round.mjs';
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
  'info',
  'counts',
  'diff',
  'build',
  'stream',
  'hash',
];
const MILLION = 1_000_000;

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,100000' },
    million: { type: 'boolean', default: false },
    browsers: { type: 'boolean', default: false },
    only: { type: 'string', default: OPERATIONS.join(',') },
    runs: { type: 'string', default: '15' },
    write: { type: 'boolean', default: false },
  },
});
const sizes = values.sizes.split(',').map(Number);

const results = [];
for (const operation of values.only.split(',')) {
  const module = await import(`./operations/${operation}.mjs`);
  const { title, contenders, targets, against, divide } = module;
  const wanted = module.sizes ?? [...sizes, ...(values.million ? [MILLION] : [])];
  const rows = [];
  for (const size of wanted) {
    await makeInput(size);
    const names = Object.keys(contenders).filter((name) => size < MILLION || name.startsWith('pdsdb'));
    // With a million records, the first run takes minutes, and is the only one.
    const rounds = size === MILLION && !module.isShort ? 0 : Number(values.runs);
    for (const measured of await measureInTurn(operation, names, size, rounds)) {
      const { does, skips } = contenders[measured.name];
      rows.push({ size, does, skips, ...measured });
      process.stderr.write(`${operation} ${size} ${measured.name}: ${measured.error?.stack ?? 'measured'}\n`);
    }
  }
  const result = { operation, title, targets, against, divide, rows };
  results.push(result);
  console.log(`\n${title}\n${tableOf(result)}`);
}

const browsers = [];
if (values.browsers) {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [fileURLToPath(new URL('browser.mjs', import.meta.url)), '--runs', '3'],
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
