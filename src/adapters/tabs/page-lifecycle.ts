/**
 * A page that goes out of sight, or into the back/forward cache, may be frozen with everything that it holds. It
 * releases its files before, and opens them again when it comes back.
 * https://wicg.github.io/page-lifecycle/
 */

export interface PageLife {
  onHide(): void;
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
  const removals: (() => void)[] = [];
  // Without a signal: jsdom accepts only its own, and another program may have replaced the global class.
  const listen = (target: EventTarget, type: string, listener: (event: Event) => void, capture = false): void => {
    target.addEventListener(type, listener, capture);
    removals.push(() => target.removeEventListener(type, listener, capture));
  };
  let isHidden = false;
  const becomes = (hidden: boolean) => (): void => {
    if (isHidden !== hidden) {
      isHidden = hidden;
      (hidden ? onHide : onShow)();
    }
  };
  // `pagehide` and `pageshow` are the window's, `freeze` and `resume` the document's; these bubble no further up.
  const page: EventTarget = document;
  for (const target of [window, page]) {
    // Captured events come first, so that every release has begun before a handler spends the time.
    ['pagehide', 'freeze'].forEach((type) => listen(target, type, becomes(true), true));
    ['pageshow', 'resume'].forEach((type) => listen(target, type, becomes(false)));
  }
  if (needsTime) {
    // A function of its own: the same one would be added once for all repositories, and removed with the first.
    listen(page, 'freeze', (event) => linger(event));
  }
  return () => removals.forEach((remove) => remove());
};
