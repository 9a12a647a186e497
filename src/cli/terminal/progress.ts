/** Shows the progress of long work in one line on standard error. */
import type { Progress } from '../../index.ts';
import type { Context } from './shell.ts';

/** The shortest time between two updates. */
const INTERVAL_MS = 100;

const count = (value: number): string => value.toLocaleString('en-US');

/** Formats 1,234,567 bytes as `1.2 MB`, in powers of ten. */
export const formatBytes = (bytes: number): string => {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
};

/**
 * Runs long work, updates the line, and clears it at the end. If standard error is not a terminal, there is no line and
 * no `onProgress`.
 */
export const withProgress = async <T>(
  context: Context,
  run: (work: { readonly signal: AbortSignal; readonly onProgress?: (progress: Progress) => void }) => Promise<T>,
): Promise<T> => {
  const { signal, stderr } = context;
  if (!stderr.isTTY) {
    return run({ signal });
  }
  let shownAt = 0;
  const onProgress = ({ phase, bytes, blocks, records }: Progress): void => {
    const now = Date.now();
    if (now - shownAt >= INTERVAL_MS) {
      shownAt = now;
      stderr.status(`${phase}: ${formatBytes(bytes)}, ${count(blocks)} blocks, ${count(records)} records`);
    }
  };
  try {
    return await run({ signal, onProgress });
  } finally {
    if (shownAt > 0) {
      stderr.status(undefined);
    }
  }
};
