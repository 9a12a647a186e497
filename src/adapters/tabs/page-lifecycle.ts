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

const HIDE_EVENTS = ['pagehide', 'freeze'] as const;
const SHOW_EVENTS = ['pageshow', 'resume'] as const;

/** Watches the page that this runs in, if any. Returns the function that ends it. */
export const watchPage = ({ onHide, onShow, needsTime }: PageLife): (() => void) => {
  if (typeof document === 'undefined') {
    return () => {};
  }
  let hidden = false;
  const hide = (): void => {
    if (!hidden) {
      hidden = true;
      onHide();
    }
  };
  const show = (): void => {
    if (hidden) {
      hidden = false;
      onShow();
    }
  };
  /** A handler cannot wait for a promise. Several repositories share the time of one event. */
  const linger = ({ timeStamp }: Event): void => {
    while (performance.now() < timeStamp + LINGER_MS) {
      // The worker closes its files.
    }
  };
  // `pagehide` and `pageshow` are the window's, `freeze` and `resume` the document's; these bubble no further up.
  const page: EventTarget = document;
  const targets: readonly EventTarget[] = [window, page];
  const each = (change: 'addEventListener' | 'removeEventListener'): void => {
    for (const target of targets) {
      // Captured events come first, so that every release has begun before a handler spends the time.
      HIDE_EVENTS.forEach((event) => target[change](event, hide, { capture: true }));
      SHOW_EVENTS.forEach((event) => target[change](event, show));
    }
    if (needsTime) {
      page[change]('freeze', linger);
    }
  };
  each('addEventListener');
  return () => each('removeEventListener');
};
