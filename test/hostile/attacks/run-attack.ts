/** Runs each attack in a separate process with a small heap. */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleChild } from '../../bundled-child.ts';

/** The result of an attack, and the cost of its whole process. */
export interface AttackPeak {
  readonly end: string;
  /** Milliseconds of processor time, including the start of Node. */
  readonly ms: number;
  /** The peak of its memory in megabytes. */
  readonly peakMb: number;
}

/** The limit of the JavaScript heap in megabytes. Bytes in buffers and in SQLite do not count. */
export const HEAP_MB = 128;
/** An attack that hangs is killed after this time. */
const HANG_MS = 100_000;

const child = bundleChild('test/hostile/attacks/attack-child.ts');

const start = promisify(execFile);

const OPTIONS = { timeout: HANG_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 24 } as const;

/**
 * Prepares attacks in one process. One process for each attack would take as long as the attacks.
 * @param indexes The indexes of the attacks in the list of all attacks.
 */
export const makeAttacks = async (indexes: readonly number[], scratch: string): Promise<void> => {
  indexes.forEach((index) => mkdirSync(join(scratch, String(index))));
  await start(process.execPath, [await child, 'make', indexes.join(), scratch], OPTIONS);
};

/** Runs a prepared attack and removes its folder. */
export const runAttack = async (index: number, scratch: string): Promise<AttackPeak> => {
  const folder = join(scratch, String(index));
  try {
    const { stdout } = await start(
      process.execPath,
      [`--max-old-space-size=${HEAP_MB}`, await child, 'run', String(index), scratch],
      OPTIONS,
    );
    return JSON.parse(stdout) as AttackPeak;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
