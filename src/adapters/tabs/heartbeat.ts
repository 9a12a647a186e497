/** Whether the leader is alive: pinged while a call waits long for its reply. */
import { RepoError } from '../../core/errors.ts';

/** The leader is pinged each time that a call has waited so long. */
const BEAT_MS = 2_500;

/**
 * After so many unanswered pings, ten seconds, the page waits no longer. They are counted in place of the time: a page
 * that was asleep itself has to give the leader a chance to reply.
 */
const MOST_SILENT = 4;

/** The error of a page that waits no longer for the leader. @param waitMs The limit for its first sign of life. */
export const silenceError = (name: string, waitMs?: number): RepoError =>
  new RepoError(
    'Locked',
    `the tab that has the repository open does not reply; name=${name}${waitMs === undefined ? '' : ` waitMs=${waitMs}`}`,
  );

/** The calls of a page that the leader of another tab serves. */
export interface Heartbeat {
  asked(call: number): void;
  replied(call: number): void;
  /** Any sign of life. */
  heard(): void;
  /** No call waits: the page sends its calls again, or has ended. */
  forget(): void;
  /** A page that is out of sight may be frozen, and pings nobody. */
  pause(): void;
  resume(): void;
}

/**
 * @param ping Asks for a sign of life.
 * @param onSilence Called after too many unanswered pings. The calls that waited are forgotten then.
 */
export const createHeartbeat = (ping: () => void, onSilence: () => void): Heartbeat => {
  const waiting = new Set<number>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let silent = 0;
  let isPaused = false;

  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
    silent = 0;
  };
  const forget = (): void => {
    waiting.clear();
    stop();
  };
  const beat = (): void => {
    timer = undefined;
    if (silent === MOST_SILENT) {
      forget();
      onSilence();
    } else if (waiting.size > 0) {
      silent += 1;
      start();
      ping();
    }
  };
  const start = (): void => {
    if (!isPaused && waiting.size > 0) {
      timer ??= setTimeout(beat, BEAT_MS);
    }
  };

  return {
    asked(call) {
      waiting.add(call);
      start();
    },
    replied(call) {
      waiting.delete(call);
    },
    heard() {
      silent = 0;
    },
    forget,
    pause() {
      isPaused = true;
      stop();
    },
    resume() {
      isPaused = false;
      start();
    },
  };
};
