/** Runs attacks, each in a process of its own with a small heap. */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleChild } from '../../bundled-child.ts';

/** How an attack ended, and what the whole process took that it ran in. */
export interface AttackPeak {
  readonly end: string;
  /** Milliseconds of the processor's time, the start of Node among them. */
  readonly ms: number;
  /** The most megabytes that it held. */
  readonly peakMb: number;
}

/** Megabytes of the heap of JavaScript. Bytes in buffers and in SQLite are beside it. */
export const HEAP_MB = 128;
/** An attack that hangs is ended. */
const HANG_MS = 100_000;

const child = bundleChild('test/hostile/attacks/attack-child.ts');

const start = promisify(execFile);

const OPTIONS = { timeout: HANG_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 24 } as const;

/**
 * Prepares attacks in one process: starting one for each took as long as the attacks.
 * @param indexes Which of all attacks.
 */
export const makeAttacks = async (indexes: readonly number[], scratch: string): Promise<void> => {
  indexes.forEach((index) => mkdirSync(join(scratch, String(index))));
  await start(process.execPath, [await child, 'make', indexes.join(), scratch], OPTIONS);
};

/** Runs an attack that was prepared, and removes its folder. */
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
