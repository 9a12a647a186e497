/** Runs cases until the time is up. The seed of a case repeats it. */
import { seeded } from '../random/seeded.ts';
import type { FuzzTarget, Outcome } from './fuzz-target.ts';

/** Most processor time of a case. A case takes milliseconds. */
export const CASE_LIMIT_MS = 5000;

export interface Finding {
  readonly target: string;
  readonly seed: number;
  readonly error: string;
}

export interface TargetCounts {
  readonly name: string;
  cases: number;
  accepted: number;
  refused: number;
  slowestMs: number;
}

export interface FuzzReport {
  readonly counts: readonly TargetCounts[];
  readonly findings: readonly Finding[];
}

export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Called before each case, so that another thread can report where it stopped. */
  readonly onCase?: ((target: number, seed: number) => void) | undefined;
}

const prototypeOf = (): string =>
  [Object, Array, Function, String, Map].map(({ prototype }) => Object.getOwnPropertyNames(prototype).join()).join(';');

/** Runs one case. Returns the finding, if any. */
export const runCase = async (
  target: FuzzTarget,
  seed: number,
  counts?: TargetCounts,
): Promise<Finding | undefined> => {
  const prototype = prototypeOf();
  const start = process.cpuUsage();
  let error: unknown;
  let outcome: Outcome | undefined;
  try {
    outcome = await target.run(seeded(seed));
  } catch (thrown) {
    error = thrown;
  }
  const { user, system } = process.cpuUsage(start);
  const took = (user + system) / 1000;
  if (counts !== undefined) {
    counts.cases += 1;
    counts.accepted += outcome === 'accepted' ? 1 : 0;
    counts.refused += outcome === 'refused' ? 1 : 0;
    counts.slowestMs = Math.max(counts.slowestMs, took);
  }
  if (prototypeOf() !== prototype) {
    error ??= new Error('a prototype was changed');
  }
  if (took > CASE_LIMIT_MS) {
    error ??= new Error(`took ${Math.round(took)} ms of processor time`);
  }
  return error === undefined
    ? undefined
    : { target: target.name, seed, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
};

/**
 * Runs all targets in turn, each for the same time, because a case of one may take as long as a thousand of another.
 */
export const runFuzz = async (
  targets: readonly FuzzTarget[],
  { seed, seconds, onCase }: FuzzOptions,
): Promise<FuzzReport> => {
  const random = seeded(seed);
  const counts = targets.map(({ name }): TargetCounts => ({ name, cases: 0, accepted: 0, refused: 0, slowestMs: 0 }));
  const spent = targets.map(() => 0);
  const findings: Finding[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const index = spent.indexOf(Math.min(...spent));
    const caseSeed = Math.floor(random() * 0x1_0000_0000);
    onCase?.(index, caseSeed);
    const start = performance.now();
    const finding = await runCase(targets[index]!, caseSeed, counts[index]);
    spent[index]! += performance.now() - start;
    if (finding !== undefined) {
      findings.push(finding);
    }
  }
  return { counts, findings };
};
