/** The worker that runs the cases. If a case never ends or fills the memory, the main thread reports it. */
import { parentPort, workerData } from 'node:worker_threads';
import { removeFolders } from './folder-target.ts';
import { fuzzTargets } from './fuzz-targets.ts';
import { runCase, runFuzz } from './run-fuzz.ts';

const { seed, seconds, place, only } = workerData as {
  seed: number;
  seconds: number;
  place: Int32Array;
  only: string | undefined;
};
const targets = fuzzTargets.filter(({ name }) => only === undefined || name === only);
try {
  if (seconds === 0) {
    const found = await Promise.all(targets.map((target) => runCase(target, seed)));
    parentPort!.postMessage({ counts: [], findings: found.filter((finding) => finding !== undefined) });
  } else {
    const onCase = (target: number, caseSeed: number): void => {
      place[0] = target;
      place[1] = caseSeed;
      place[2]! += 1;
    };
    parentPort!.postMessage(await runFuzz(targets, { seed, seconds, onCase }));
  }
} finally {
  removeFolders();
}
