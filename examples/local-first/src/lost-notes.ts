/** The notice and the actions after the browser has cleared the notes. */
import type { LocalNotebook } from './local-notebook.ts';
import { button, element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import { fileButton } from '../../page/file-button.ts';
import type { Account } from './account.ts';
import { createNotebook, restoreNotebook } from './local-notebook.ts';

/** Shows only that the notes are lost, until the user decides how to continue. */
export const askAboutLoss = (root: HTMLElement, account: Account): Promise<LocalNotebook> =>
  new Promise((resolve) => {
    const trouble = element('div', { class: 'trouble' });
    const begin = (open: () => Promise<LocalNotebook>): void => {
      trouble.replaceChildren();
      open().then(resolve, (error: unknown) => trouble.replaceChildren(errorNote(error)));
    };
    root.replaceChildren(
      element(
        'main',
        { class: 'notes' },
        element('h1', {}, 'Notes'),
        element(
          'div',
          { class: 'note warn', role: 'alert' },
          element('h2', {}, 'The browser has deleted the notes.'),
          element(
            'p',
            {},
            'A browser may delete the data of a page when storage is short. The key of your account is still stored here. You can import an export of the notes, but only before you write new ones.',
          ),
          element(
            'div',
            { class: 'actions' },
            fileButton('Import an export', (file) => begin(() => restoreNotebook(account, file))),
            button('Start a new notebook', () => begin(() => createNotebook(account))),
          ),
        ),
        trouble,
      ),
    );
  });
