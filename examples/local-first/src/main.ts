import { errorNote } from '../../page/error-note.ts';
import { openAccount } from './account.ts';
import { App } from './app.ts';
import { askAboutLoss } from './lost-notes.ts';
import { openNotebook } from './notebook.ts';
import { keepForOffline } from './service-worker.ts';

const root = document.querySelector<HTMLElement>('#app') ?? document.body;

try {
  const account = await openAccount();
  const app = new App((await openNotebook(account)) ?? (await askAboutLoss(root, account)));
  app.start(root);
  await keepForOffline();
  app.refresh();
} catch (error) {
  root.replaceChildren(errorNote(error));
}
