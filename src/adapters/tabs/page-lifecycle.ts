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
  const end = new AbortController();
  const { signal } = end;
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
    ['pagehide', 'freeze'].forEach((type) => target.addEventListener(type, becomes(true), { capture: true, signal }));
    ['pageshow', 'resume'].forEach((type) => target.addEventListener(type, becomes(false), { signal }));
  }
  if (needsTime) {
    // A function of its own: the same one would be added once for all repositories, and removed with the first.
    page.addEventListener('freeze', (event) => linger(event), { signal });
  }
  return () => end.abort();
};
