/**
 * `npm run test:all`: runs every group of tests, one after the other, and prints what ran. The last line is
 * `N passed, N failed, N skipped`; the exit code is 0 if nothing failed. `--only fast,slow` runs some of the groups.
 * `--ran fast=report.json` counts a group that has just run, by its JSON report of vitest, and does not run it again.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'out', 'test-all');

/** The projects of vite.config.ts, in the groups of the scripts in package.json. A new project is added here. */
const GROUPS = [
  { name: 'fast', projects: ['node', 'isolated'] },
  { name: 'slow', projects: ['slow', 'tree'] },
  // Together, so that both workers are busy until the end.
  { name: 'browser', projects: ['browser', 'site', 'environments', 'alone'] },
  { name: 'network', projects: ['network'] },
  { name: 's3', projects: ['s3'] },
  { name: 'postgres', projects: ['postgres'] },
];

const { values } = parseArgs({ options: { only: { type: 'string' }, ran: { type: 'string' } } });
const only = values.only?.split(',');
const chosen = GROUPS.filter(({ name }) => only?.includes(name) ?? true);
const [ranName, ranReport] = values.ran?.split('=') ?? [];
if (values.ran !== undefined && (ranReport === undefined || !chosen.some(({ name }) => name === ranName))) {
  throw new Error(`--ran takes the name of a group and its report, such as fast=report.json; found ${values.ran}`);
}

/** Runs a group. Returns its report, the exit code and the duration. */
const runGroup = ({ name, projects }) => {
  const report = join(out, `${name}.json`);
  const start = performance.now();
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--passWithNoTests',
      ...projects.flatMap((project) => ['--project', project]),
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { cwd: root, stdio: 'inherit' },
  );
  return { report, status, seconds: Math.round((performance.now() - start) / 1000) };
};

/** Returns the counts of a group. A file that fails before its first test counts as one failure. */
const countGroup = (group) => {
  const { name } = group;
  const ran = name === ranName ? { report: ranReport } : runGroup(group);
  let content;
  try {
    content = JSON.parse(readFileSync(ran.report, 'utf8'));
  } catch (error) {
    console.error(`${name}: vitest wrote no report: ${error}`);
    return { name, seconds: ran.seconds ?? 0, files: 0, passed: 0, failed: 1, failures: [], skipped: [] };
  }
  const { startTime, success, testResults } = content;
  const end = Math.max(...testResults.map(({ endTime }) => endTime));
  const { status = success ? 0 : 1, seconds = Math.round((end - startTime) / 1000) } = ran;
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const count = (wanted) => tests.filter(({ status: found }) => found === wanted).length;
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const failed = count('failed') + broken.length;
  return {
    name,
    seconds,
    files: testResults.length,
    passed: count('passed'),
    // An error outside of the tests fails the run as well.
    failed: failed === 0 && status !== 0 ? 1 : failed,
    failures: [
      ...tests.filter(({ status: found }) => found === 'failed'),
      ...broken.map((file) => ({ fullName: relative(root, file.name), failureMessages: [file.message] })),
    ],
    skipped: tests.filter(({ status: found }) => found !== 'passed' && found !== 'failed'),
  };
};

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const results = chosen.map(countGroup);

console.log();
for (const { fullName } of results.flatMap(({ skipped }) => skipped)) {
  console.log(`skipped: ${fullName}`);
}
// After the skipped tests and before the counts, so that a truncated log keeps them at its end.
for (const { fullName, failureMessages } of results.flatMap(({ failures }) => failures)) {
  console.log(`failed: ${fullName}: ${(failureMessages[0] ?? '').split('\n')[0]}`);
}
for (const { name, seconds, files, passed, failed, skipped } of results) {
  console.log(`${name}: ${files} files in ${seconds} s, ${passed} passed, ${failed} failed, ${skipped.length} skipped`);
}
const sum = (count) => results.reduce((total, result) => total + count(result), 0);
const failed = sum((result) => result.failed);
console.log(`${sum(({ passed }) => passed)} passed, ${failed} failed, ${sum(({ skipped }) => skipped.length)} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
