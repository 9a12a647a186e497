/** Waits between attempts to connect. */
import { pause } from '../../core/data/pause.ts';

const FIRST = 1000;
const LONGEST = 60_000;

/** Returns the milliseconds before the next attempt: 1 s to 1 min, doubled each time, with jitter. */
export const backoffOf = (attempt: number): number => {
  const most = Math.min(LONGEST, FIRST * 2 ** Math.min(attempt, 10));
  return most / 2 + (Math.random() * most) / 2;
};

/** Waits, until the time is over, the signal aborts, or a browser is online again. Never rejects. */
export const waitFor = async (ms: number, signal: AbortSignal): Promise<void> => {
  const online = new AbortController();
  const wake = (): void => online.abort();
  // Node has no such event, and its global object no listeners.
  const target = globalThis as Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>>;
  target.addEventListener?.('online', wake);
  await pause(ms, AbortSignal.any([signal, online.signal])).catch(() => undefined);
  target.removeEventListener?.('online', wake);
};
