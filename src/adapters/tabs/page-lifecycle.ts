/**
 * A page that goes out of sight, or into the back/forward cache, may be frozen with everything that it holds. It
 * releases its files before, and opens them again when it comes back.
 * https://wicg.github.io/page-lifecycle/
 */

export interface PageLife {
  /** Called for each sign that the page may be frozen. */
  onHide(): void;
  /** Called for each sign that the page runs, also if it was never hidden. */
  onShow(): void;
  /** Whether the release takes time, in a worker that is frozen together with the page. */
  readonly needsTime: boolean;
}

/**
 * Chromium freezes the page and its workers as soon as the handlers of `freeze` have run. Until then workers run too:
 * this time is enough to close files, also on a busy machine. The page is not visible meanwhile.
 */
const LINGER_MS = 300;

/** A handler cannot wait for a promise. Several repositories share the time of one event. */
const linger = ({ timeStamp }: Event): void => {
  while (performance.now() < timeStamp + LINGER_MS) {
    // The worker closes its files.
  }
};

/** Watches the page that this runs in, if any. Returns the function that ends it. */
export const watchPage = ({ onHide, onShow, needsTime }: PageLife): (() => void) => {
  if (typeof document === 'undefined') {
    return () => {};
  }
  const page: EventTarget = document;
  // Captured events come first, so that every release has begun before a handler spends the time.
  const listeners: (readonly [EventTarget, string, (event: Event) => void, boolean])[] = [
    [window, 'pagehide', onHide, true],
    [page, 'freeze', onHide, true],
    [window, 'pageshow', onShow, false],
    [page, 'resume', onShow, false],
  ];
  if (needsTime) {
    // A function of its own: the same one would be added once for all repositories, and removed with the first.
    listeners.push([page, 'freeze', (event) => linger(event), false]);
  }
  // Without a signal: jsdom accepts only its own, and another program may have replaced the global class.
  listeners.forEach(([target, ...listener]) => target.addEventListener(...listener));
  return () => listeners.forEach(([target, ...listener]) => target.removeEventListener(...listener));
};
