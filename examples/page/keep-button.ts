/** Requests persistent storage from the browser. */
import { button } from './element.ts';
import { tell } from './toast.ts';

/**
 * On a click, because Firefox asks the user, who should know the reason; Chromium decides by
 * itself. `onKept` is called if it is granted.
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
