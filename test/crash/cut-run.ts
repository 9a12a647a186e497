/** Cuts the power at every moment of a recorded run, in several ways each, and judges every outcome. */
import { judge } from './judge.ts';
import type { Expected, Verdict } from './judge.ts';
import type { Cut } from './power-cut.ts';
import type { RepoState } from './repo-state.ts';
import type { StorageKind } from './storage-kind.ts';
import type { Step } from './workload.ts';
import { close, oneMore, open, record, Session } from './workload.ts';

/** A finished run: the content of the storage before it, its log, and the states of the repository. */
export interface Recording<I, E extends { readonly kind: string }> {
  readonly kind: StorageKind<I, E>;
  readonly before: I;
  readonly log: readonly E[];
  /** The first is the state before the first step. */
  readonly states: readonly RepoState[];
}

/** Runs the steps on a copy of the given storage. Default: an empty one. */
export const recordRun = async <I, E extends { readonly kind: string }>(
  kind: StorageKind<I, E>,
  steps: readonly Step[],
  { before = kind.blank(), state }: { readonly before?: I; readonly state?: RepoState } = {},
): Promise<Recording<I, E>> => {
  const { place, log } = kind.run(kind.copy(before));
  return { kind, before, states: await record(new Session(place), steps, state), log };
};

export interface CutOptions {
  readonly random: () => number;
  /**
   * The number of cuts at each moment, in addition to two extremes: no unsynced data survives, and all of it survives.
   */
  readonly each: number;
  /** The share of the moments to cut at. Default: all. */
  readonly share?: number | undefined;
  /** Whether to stop at the first outcome that is not healthy. */
  readonly untilFailure?: boolean | undefined;
  /** The share of the outcomes whose recovery is cut as well. */
  readonly again?: number | undefined;
  /** The kinds of cuts. Default: all that {@link anyCut} makes. */
  readonly sort?: ((random: () => number) => Cut) | undefined;
}

export interface CutCounts {
  /** The number of judged cuts. Cuts that leave the same disk at the same point of the workload count once. */
  cuts: number;
  /** The number of them that cut a recovery. */
  recoveries: number;
  lost: number;
  corrupt: number;
  /** The first outcomes that are not healthy. */
  readonly failures: string[];
}

export const noCuts = (): CutCounts => ({ cuts: 0, recoveries: 0, lost: 0, corrupt: 0, failures: [] });

const FAILURES_KEPT = 5;

/** No unsynced data survives. */
export const NONE: Cut = { data: 'none', names: 'none', sector: 512, growth: 'zeros', damagesNeighbours: false };
export const ALL: Cut = { ...NONE, data: 'all', names: 'all' };

const pick = <T>(random: () => number, items: readonly T[]): T => items[Math.floor(random() * items.length)]!;

/** Returns a random kind of cut. A disk damages neighbours only within the sector size that the files claim. */
export const anyCut = (random: () => number): Cut => {
  const sector = pick(random, [512, 4096] as const);
  return {
    data: pick(random, ['all', 'none', 'some', 'some', 'some', 'torn'] as const),
    names: pick(random, ['all', 'none', 'prefix', 'subset'] as const),
    sector,
    growth: pick(random, ['garbage', 'zeros'] as const),
    damagesNeighbours: random() < 0.3,
  };
};

/** Cuts the power at each moment of a recording (or at a share of them) in several ways. Adds to `counts`. */
export const cutEverywhere = async <I, E extends { readonly kind: string }>(
  recording: Recording<I, E>,
  options: CutOptions,
  counts: CutCounts,
): Promise<void> => {
  const { kind, states, log } = recording;
  const { random, each, share = 1, again = 0, sort = anyCut, untilFailure = false } = options;
  const power = kind.power(recording.before);
  let [acknowledged, started] = [0, 0];
  let seen = new Set<string>();
  let known = new Map<string, RepoState>();
  for (const [position, entry] of log.entries()) {
    power.follow(entry);
    if (entry.kind === 'start') {
      started += 1;
    } else if (entry.kind === 'ack') {
      acknowledged += 1;
    }
    if (entry.kind === 'start' || entry.kind === 'ack') {
      known = new Map();
    }
    if (!kind.onlyAdds(entry)) {
      seen = new Set();
    }
    if (share < 1 && random() >= share) {
      continue;
    }
    if (untilFailure && counts.failures.length > 0) {
      return;
    }
    const expected: Expected = {
      acknowledged: states[acknowledged]!,
      started: states.slice(acknowledged + 1, started + 1),
      earlier: states.slice(0, acknowledged),
      known,
    };
    for (const cut of [NONE, ALL, ...Array.from({ length: each }, () => sort(random))]) {
      const choices: number[] = [cut.sector];
      const image = power.image(cut, random, (choice) => choices.push(choice));
      const key = choices.join();
      if (seen.has(key)) {
        continue;
      }
      seen.add(key);
      const left = again > 0 && random() < again ? kind.copy(image) : undefined;
      const verdict = await judge(kind.run(image).place, expected, random() < 0.1);
      note(counts, verdict, `position ${position} of ${log.length}, after ${entry.kind}, cut ${JSON.stringify(cut)}`);
      // A disk before the end of the creation may have no repository, and so no recovery.
      if (left !== undefined && verdict.kind === 'healthy' && expected.acknowledged.exists) {
        await cutRecovery(kind, left, verdict.state, options, counts);
      }
    }
  }
};

/**
 * Opens the disk after a cut, makes a commit, closes, and cuts this recovery. The state that was found must be found
 * again.
 */
const cutRecovery = async <I, E extends { readonly kind: string }>(
  kind: StorageKind<I, E>,
  before: I,
  found: RepoState,
  options: CutOptions,
  counts: CutCounts,
): Promise<void> => {
  const recording = await recordRun(kind, [open, oneMore('recovered'), close], { before, state: found });
  const depth = noCuts();
  await cutEverywhere(recording, { ...options, again: 0, share: 0.1, each: 1 }, depth);
  counts.cuts += depth.cuts;
  counts.recoveries += depth.cuts;
  counts.lost += depth.lost;
  counts.corrupt += depth.corrupt;
  counts.failures.push(...depth.failures.map((failure) => `in a recovery: ${failure}`));
};

const note = (counts: CutCounts, verdict: Verdict, where: string): void => {
  counts.cuts += 1;
  if (verdict.kind !== 'healthy') {
    counts[verdict.kind] += 1;
    if (counts.failures.length < FAILURES_KEPT) {
      counts.failures.push(`${verdict.kind} at ${where}: ${verdict.why}`);
    }
  }
};
