/** Shows the progress of a pull in one line on standard error. */
import { setMaxListeners } from 'node:events';
import type { PullProgress } from '../../sync.ts';
import { formatBytes } from '../terminal/progress.ts';
import type { Context } from '../terminal/shell.ts';

/** The shortest time between two updates of one phase. */
const INTERVAL_MS = 100;

const PHASES: Partial<Record<PullProgress['phase'], string>> = {
  identity: 'looking up the account',
  head: 'asking for the head',
};

const count = (value: number): string => value.toLocaleString('en-US');

const lineOf = ({ phase, bytes, blocks, records, blobs }: PullProgress): string => {
  const words = PHASES[phase];
  if (words !== undefined) {
    return words;
  }
  return phase === 'blobs'
    ? `blobs: ${count(blobs)}, ${formatBytes(bytes)}`
    : `${phase}: ${formatBytes(bytes)}, ${count(blocks)} blocks, ${count(records)} records`;
};

/** What a call of the library gets. */
export interface NetworkWork {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
}

/** Runs a call, updates the line, and clears it at the end. Without a terminal there is no line. */
export const withPullProgress = async <T>(context: Context, run: (work: NetworkWork) => Promise<T>): Promise<T> => {
  const { signal, stderr } = context;
  signal.throwIfAborted();
  // Four blobs at a time listen twice each, and the command too. Node warns of more than ten listeners.
  setMaxListeners(0, signal);
  if (!stderr.isTTY) {
    return run({ signal });
  }
  let shown: PullProgress['phase'] | undefined;
  let shownAt = 0;
  const onProgress = (progress: PullProgress): void => {
    const now = Date.now();
    if (progress.phase !== shown || now - shownAt >= INTERVAL_MS) {
      [shown, shownAt] = [progress.phase, now];
      stderr.status(lineOf(progress));
    }
  };
  try {
    return await run({ signal, onProgress });
  } finally {
    if (shown !== undefined) {
      stderr.status(undefined);
    }
  }
};
