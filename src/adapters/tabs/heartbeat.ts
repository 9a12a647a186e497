/** Whether whoever has the files is still there: asked, where an answer is long in coming. */

/** An answer that takes longer than this is asked after, and again and again. */
const BEAT_MS = 2_500;

/**
 * So many questions without any sign of life, and the page waits no longer: ten seconds. Counted in beats and not in
 * time, because whoever was asleep itself has to give the other one a chance to answer.
 */
const MOST_SILENT = 4;

/** The calls of a page that somebody else answers. */
export interface Heartbeat {
  asked(call: number): void;
  answered(call: number): void;
  /** Any sign of life. */
  heard(): void;
  /** Nothing is waited for: all that the page has asked it asks again, or nobody looks at a clock any more. */
  forget(): void;
  /** While the page is out of sight it may be frozen, and asks after nothing. */
  pause(): void;
  resume(): void;
}

/**
 * @param ping Asks for a sign of life.
 * @param onSilence Called when there was none for long. Calls that waited are forgotten then.
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
    answered(call) {
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
