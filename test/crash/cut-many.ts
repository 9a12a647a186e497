/** Runs workloads one after the other, and cuts the power in each, until there are enough cuts. */
import { seeded } from '../random/seeded.ts';
import { cutEverywhere, noCuts, recordRun } from './cut-run.ts';
import type { CutCounts } from './cut-run.ts';
import type { StorageKind } from './storage-kind.ts';
import { workload } from './workload.ts';

export interface CutManyOptions {
  /**
   * The least number of cuts. Each workload is cut at every moment, except the last one, which is cut at random
   * moments.
   */
  readonly cuts: number;
  /** The seed of the first workload. Each next workload has the next seed. */
  readonly seed: number;
  /** Called after each workload. */
  readonly onProgress?: ((counts: CutCounts, seed: number) => void) | undefined;
}

export const cutMany = async <I, E extends { readonly kind: string }>(
  kind: StorageKind<I, E>,
  { cuts, seed, onProgress }: CutManyOptions,
): Promise<CutCounts> => {
  const counts = noCuts();
  for (let next = seed; counts.cuts < cuts; next++) {
    const recording = await recordRun(kind, workload(next));
    const share = Math.min(1, (cuts - counts.cuts) / recording.log.length);
    await cutEverywhere(recording, { random: seeded(next), each: 1, again: 0.01, share }, counts);
    onProgress?.(counts, next);
  }
  return counts;
};
