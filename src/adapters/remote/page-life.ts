/**
 * A page that goes out of sight for good, or into the cache of pages gone back and forth in, may be frozen there with
 * everything that it holds. What it held it lets go of before, and takes up again when it comes back.
 * https://wicg.github.io/page-lifecycle/
 */

export interface PageLife {
  onHide(): void;
  onShow(): void;
}

const HIDE_EVENTS = ['pagehide', 'freeze'] as const;
const SHOW_EVENTS = ['pageshow', 'resume'] as const;

/** Watches the page that this runs in; answers the function that ends it. Where there is no page, there is nothing to watch. */
export const watchPage = ({ onHide, onShow }: PageLife): (() => void) => {
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
  // `pagehide` and `pageshow` are the window's, `freeze` and `resume` the document's; these bubble no further up.
  const targets: readonly EventTarget[] = [window, document];
  const each = (change: 'addEventListener' | 'removeEventListener'): void => {
    for (const target of targets) {
      HIDE_EVENTS.forEach((event) => target[change](event, hide));
      SHOW_EVENTS.forEach((event) => target[change](event, show));
    }
  };
  each('addEventListener');
  return () => each('removeEventListener');
};
