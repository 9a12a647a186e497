/** Shows a short notice, also to screen readers. The page has an element `#toast` with the role `status`. */

/** Long enough to read a sentence, and to reach a button. */
const WORDS_MS = 4_000;
const BUTTON_MS = 8_000;

let hiding: ReturnType<typeof setTimeout> | undefined;

/** Shows a notice for some seconds. Replaces the last one. */
export const tell = (text: string, action?: HTMLButtonElement): void => {
  const toast = document.querySelector('#toast');
  if (toast === null) {
    return;
  }
  toast.replaceChildren(text, ...(action === undefined ? [] : [action]));
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.replaceChildren(), action === undefined ? WORDS_MS : BUTTON_MS);
};
