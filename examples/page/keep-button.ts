/** Asks the browser not to clear what is kept here when room gets short. */
import { button } from './element.ts';
import { tell } from './toast.ts';

/**
 * On a click, because Firefox puts the question to its user, who should know what it is about; Chromium decides by
 * itself. `onKept` is called when the answer is yes.
 */
export const keepButton = (onKept: () => void): HTMLButtonElement =>
  button('Ask the browser to keep it', () => {
    navigator.storage.persist().then(
      (isKept) => {
        tell(
          isKept
            ? 'The browser keeps it.'
            : 'The browser does not promise it now. It may when this page is used more often.',
        );
        if (isKept) {
          onKept();
        }
      },
      () => tell('This browser makes no such promise here.'),
    );
  });
