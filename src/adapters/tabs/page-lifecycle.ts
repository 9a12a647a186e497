/**
 * A page that goes out of sight for good, or into the cache of pages gone back and forth in, may be frozen there with
 * everything that it holds. What it held it lets go of before, and takes up again when it comes back.
 * https://wicg.github.io/page-lifecycle/
 */

export interface PageLife {
  onHide(): void;
  onShow(): void;
  /** Whether letting go takes time, in a worker that is frozen together with the page. */
  readonly needsTime: boolean;
}

/**
 * Once the handlers of `freeze` have run, Chromium freezes the page and its workers at once. While they run, workers
 * run too: this much is enough for one to close files, on a machine that is busy as well. Nobody looks at the page
 * meanwhile.
 */
const LINGER_MS = 300;

const HIDE_EVENTS = ['pagehide', 'freeze'] as const;
const SHOW_EVENTS = ['pageshow', 'resume'] as const;

/**
 * Watches the page that this runs in; answers the function that ends it. Where there is no page, there is nothing to
 * watch.
 */
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
  /** There is nothing that a page may wait for in a handler. Several repositories share the time of one event. */
  const linger = ({ timeStamp }: Event): void => {
    while (performance.now() < timeStamp + LINGER_MS) {
      // The worker is at work.
    }
  };
  // `pagehide` and `pageshow` are the window's, `freeze` and `resume` the document's; these bubble no further up.
  const page: EventTarget = document;
  const targets: readonly EventTarget[] = [window, page];
  const each = (change: 'addEventListener' | 'removeEventListener'): void => {
    for (const target of targets) {
      // As captured ones, which come before the others: whoever lets go of something has begun to before anybody waits.
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
