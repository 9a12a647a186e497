// Measures one contender in a process of its own, without others.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Options of Node for the process of a contender: the peers need much memory. */
export const NODE_OPTIONS = ['--max-old-space-size=8192'];

/** Runs `one.mjs` of a bench folder. Returns the first run, and the medians of the later ones, in milliseconds. */
export const measureAlone = (bench, operation, name, size, runs) => {
  const args = [...NODE_OPTIONS, join(bench, 'one.mjs'), operation, name, String(size), String(runs)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) {
    throw new Error(`${operation}, ${name}, ${size} records, ${bench}: ${stderr}`);
  }
  return JSON.parse(stdout.trim().split('\n').at(-1));
};
