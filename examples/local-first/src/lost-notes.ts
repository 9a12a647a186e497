/** The notice and the actions after the browser has cleared the notes. */
import type { Repo } from 'pdsdb';
import { button, element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import { fileButton } from '../../page/file-button.ts';
import type { Account } from './account.ts';
import { createNotebook, restoreNotebook } from './notebook.ts';

/** Shows only that the notes are lost, until the user decides how to continue. */
export const askAboutLoss = (root: HTMLElement, account: Account): Promise<Repo> =>
  new Promise((resolve) => {
    const trouble = element('div', { class: 'trouble' });
    const begin = (open: () => Promise<Repo>): void => {
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
            'This browser has cleared what it kept for this page, as it may when room gets short. The key of your account is still here: an export of the notes can be taken in again, but only before new ones are written.',
          ),
          element(
            'div',
            { class: 'actions' },
            fileButton('Import an export', (file) => begin(() => restoreNotebook(account, file))),
            button('Begin anew', () => begin(() => createNotebook(account))),
          ),
        ),
        trouble,
      ),
    );
  });
