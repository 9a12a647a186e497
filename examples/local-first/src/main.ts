import { isRepoError } from 'pdsdb';
import type { PullProgress } from 'pdsdb/sync';
import { element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import { countOf, formatBytes } from '../../page/quantities.ts';
import { tell } from '../../page/toast.ts';
import { openAccount } from './account.ts';
import type { AccountNotebook } from './account-notebook.ts';
import { AccountPage } from './account-page.ts';
import { App } from './app.ts';
import type { KeptAccount } from './kept-account.ts';
import { keepAccount, keptAccount } from './kept-account.ts';
import type { LocalNotebook } from './local-notebook.ts';
import { openNotebook } from './local-notebook.ts';
import { askAboutLoss } from './lost-notes.ts';
import { takeReturn } from './oauth-client.ts';
import { keepForOffline } from './service-worker.ts';
import type { OpenSession, SignIn } from './sign-in.ts';
import { cloneAccount, keptSession, openAccountNotebook, signIn } from './sign-in.ts';
import { signInPanel } from './sign-in-panel.ts';

const root = document.querySelector<HTMLElement>('#app') ?? document.body;
let shown: App | undefined;
/** Why the sign-in at the server has failed. */
let failure: unknown;

const wordsOf = ({ bytes, records }: PullProgress): string =>
  `Fetched ${formatBytes(bytes)}, ${countOf(records, 'record')}.`;

const showAccount = (account: KeptAccount, notebook: AccountNotebook, session: OpenSession | undefined): void => {
  const page = new AccountPage(account, notebook, session, () => {
    showLocal().catch((error: unknown) => root.replaceChildren(errorNote(error)));
  });
  shown = page.start(root);
};

/** Shows the notes of this browser, and the offer to sign in. */
const showLocal = async (): Promise<void> => {
  const own = await openAccount();
  const notebook: LocalNotebook = (await openNotebook(own)) ?? (await askAboutLoss(root, own));
  const app = new App(notebook);
  const leave = async (): Promise<void> => {
    app.stop();
    await notebook.repo.close();
  };
  const kept = keptAccount();
  const onSignIn = async (given: SignIn, report: (text: string) => void): Promise<void> => {
    report('Signing in…');
    const { account, session } = await signIn(given);
    const copy = await cloneAccount(account, (progress) => report(wordsOf(progress)));
    await leave();
    showAccount(account, copy, session);
  };
  const onOpen = (): void => {
    const open = async (account: KeptAccount): Promise<void> => {
      const copy = await openAccountNotebook(account);
      await leave();
      keepAccount({ ...account, isOpen: true });
      showAccount(account, copy, undefined);
    };
    open(kept!).catch((error: unknown) => app.report(error));
  };
  app.start(root, signInPanel(kept, onSignIn, onOpen));
  shown = app;
};

/** Shows the account after the user has signed in at its server. */
const showReturned = async (params: URLSearchParams): Promise<void> => {
  const progress = element('p', { class: 'quiet', role: 'status' }, 'Signing in…');
  root.replaceChildren(element('main', { class: 'notes' }, element('h1', {}, 'Notes'), progress));
  const { comeBack } = await import('./oauth.ts');
  const { account, session } = await comeBack(params);
  showAccount(account, await cloneAccount(account, (done) => progress.replaceChildren(wordsOf(done))), session);
};

const show = async (): Promise<void> => {
  const params = takeReturn();
  if (params !== undefined) {
    try {
      return await showReturned(params);
    } catch (error) {
      // The notes can be used nevertheless.
      failure = error;
    }
  }
  const account = keptAccount();
  if (account?.isOpen !== true) {
    return showLocal();
  }
  try {
    showAccount(account, await openAccountNotebook(account), await keptSession(account));
  } catch (error) {
    if (!isRepoError(error, 'RepoNotFound')) {
      throw error;
    }
    keepAccount(undefined);
    await showLocal();
    tell('The browser has deleted the copy of the account. Sign in to get it again.');
  }
};

try {
  await show();
  if (failure !== undefined) {
    shown?.report(failure);
    tell('The server has not signed you in.');
  }
  await keepForOffline();
  shown?.refresh();
} catch (error) {
  root.replaceChildren(errorNote(error));
}
