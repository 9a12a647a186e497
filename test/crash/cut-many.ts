/** Cuts over one workload after another. */
import { seeded } from '../random/seeded.ts';
import { cutEverywhere, noCuts, recordRun } from './cut-run.ts';
import type { CutCounts } from './cut-run.ts';
import type { StorageKind } from './storage-kind.ts';
import { workload } from './workload.ts';

export interface CutManyOptions {
  /**
   * At least so many. Every moment of every workload, but of one that would pass this only a part, chosen at random.
   */
  readonly cuts: number;
  /** Of the first workload; each next one has the next. */
  readonly seed: number;
  /** Is told after each workload. */
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
