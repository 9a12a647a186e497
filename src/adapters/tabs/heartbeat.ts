/** Whether the leader of another tab is alive: pinged while a call waits long for its reply. */
import { RepoError } from '../../core/errors.ts';

/** The leader is pinged each time that a call has waited so long. */
const BEAT_MS = 2_500;

/**
 * After so many unanswered pings, ten seconds, the page waits no longer. They are counted in place of the time: a page
 * that was asleep itself has to give the leader a chance to reply.
 */
const MOST_SILENT = 4;

/** The error of a page that waits no longer for the leader. @param waitMs The limit for its first sign of life. */
export const silenceError = (name: string, waitMs?: number): RepoError => {
  const waited = waitMs === undefined ? '' : ` waitMs=${waitMs}`;
  return new RepoError(
    'Locked',
    `the tab that has the repository open does not reply: reload or close it, then try again; name=${name}${waited}`,
  );
};

export class Heartbeat {
  readonly #isWaiting: () => boolean;
  readonly #ping: () => void;
  readonly #onSilence: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silent = 0;

  /**
   * @param isWaiting Whether a call waits for its reply.
   * @param ping Asks for a sign of life.
   * @param onSilence Called after too many unanswered pings. Gives up the calls that wait.
   */
  constructor(isWaiting: () => boolean, ping: () => void, onSilence: () => void) {
    this.#isWaiting = isWaiting;
    this.#ping = ping;
    this.#onSilence = onSilence;
  }

  /** A call may wait from now on. */
  start(): void {
    this.#timer ??= setTimeout(() => this.#beat(), BEAT_MS);
  }

  /** Any sign of life. */
  heard(): void {
    this.#silent = 0;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#silent = 0;
  }

  #beat(): void {
    const silent = this.#silent;
    this.stop();
    if (this.#isWaiting() && silent < MOST_SILENT) {
      this.#silent = silent + 1;
      this.start();
      this.#ping();
    } else if (this.#isWaiting()) {
      this.#onSilence();
    }
  }
}
