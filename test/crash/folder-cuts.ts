/** Runs an operation on a folder and cuts the power at every moment of it, in several ways each. */
import { ALL, anyCut, NONE } from './cut-run.ts';
import type { LogEntry } from './disk-log.ts';
import type { DiskImage } from './disk-image.ts';
import type { Before, FolderOperation } from './folder-operations.ts';
import { PowerCut } from './power-cut.ts';
import type { DiskCall } from './simulated-disk.ts';
import { SimulatedDisk } from './simulated-disk.ts';

export interface FolderRun {
  readonly before: DiskImage;
  readonly log: readonly LogEntry[];
}

/** Runs an operation. Calls that match `forgets` do nothing, as if the code lacked them. */
export const runOperation = async (
  operation: FolderOperation,
  what: Before,
  forgets: (call: DiskCall) => boolean = () => false,
): Promise<FolderRun> => {
  const arranged = new SimulatedDisk(what.image.copy());
  await operation.arrange?.(arranged);
  const before = arranged.image;
  const disk = new SimulatedDisk(before.copy());
  disk.interfere = (call) => (forgets(call) ? 'does nothing' : undefined);
  disk.mark('start', 1);
  await operation.run(disk, what);
  disk.mark('ack', 1);
  return { before, log: disk.log };
};

export interface FolderCutOptions {
  readonly random: () => number;
  /** The number of cuts at each moment, in addition to the two extremes. */
  readonly each: number;
  /** The share of the moments to cut at. */
  readonly share: number;
  readonly untilFailure?: boolean | undefined;
}

/** Returns the number of judged outcomes, and the faults. */
export const cutOperation = async (
  operation: FolderOperation,
  { before, log }: FolderRun,
  what: Before,
  { random, each, share, untilFailure = false }: FolderCutOptions,
): Promise<{ readonly cuts: number; readonly failures: readonly string[] }> => {
  const power = new PowerCut(before);
  const failures: string[] = [];
  let [cuts, acknowledged] = [0, false];
  for (const [position, entry] of log.entries()) {
    power.follow(entry);
    acknowledged ||= entry.kind === 'ack';
    if (!acknowledged && random() >= share) {
      continue;
    }
    const seen = new Set<string>();
    for (const cut of [NONE, ALL, ...Array.from({ length: each }, () => anyCut(random))]) {
      const choices: number[] = [cut.sector];
      const image = power.image(cut, random, (choice) => choices.push(choice));
      if (seen.has(choices.join())) {
        continue;
      }
      seen.add(choices.join());
      cuts += 1;
      const wrong = await operation.judge(new SimulatedDisk(image), what, acknowledged);
      if (wrong !== undefined) {
        failures.push(
          `position ${position} of ${log.length}, after ${entry.kind}, cut ${JSON.stringify(cut)}: ${wrong}`,
        );
        if (untilFailure) {
          return { cuts, failures };
        }
      }
    }
  }
  return { cuts, failures };
};
