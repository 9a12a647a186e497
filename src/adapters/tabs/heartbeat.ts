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
export const silenceError = (name: string, waitMs?: number): RepoError => {
  const waited = waitMs === undefined ? '' : ` waitMs=${waitMs}`;
  return new RepoError(
    'Locked',
    `the tab that has the repository open does not reply: reload or close it, then try again; name=${name}${waited}`,
  );
};

/** The calls of a page that the leader of another tab serves. */
export class Heartbeat {
  readonly #ping: () => void;
  readonly #onSilence: () => void;
  readonly #waiting = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #silent = 0;
  #isPaused = false;

  /**
   * @param ping Asks for a sign of life.
   * @param onSilence Called after too many unanswered pings. The calls that waited are forgotten then.
   */
  constructor(ping: () => void, onSilence: () => void) {
    this.#ping = ping;
    this.#onSilence = onSilence;
  }

  asked(call: number): void {
    this.#waiting.add(call);
    this.#start();
  }

  replied(call: number): void {
    this.#waiting.delete(call);
  }

  /** Any sign of life. */
  heard(): void {
    this.#silent = 0;
  }

  /** No call waits: the page sends its calls again, or has ended. */
  forget(): void {
    this.#waiting.clear();
    this.#stop();
  }

  /** A page that is out of sight may be frozen, and pings nobody. */
  pause(): void {
    this.#isPaused = true;
    this.#stop();
  }

  resume(): void {
    this.#isPaused = false;
    this.#start();
  }

  #start(): void {
    if (!this.#isPaused && this.#waiting.size > 0) {
      this.#timer ??= setTimeout(() => this.#beat(), BEAT_MS);
    }
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#silent = 0;
  }

  #beat(): void {
    this.#timer = undefined;
    if (this.#silent === MOST_SILENT) {
      this.forget();
      this.#onSilence();
    } else if (this.#waiting.size > 0) {
      this.#silent += 1;
      this.#start();
      this.#ping();
    }
  }
}
