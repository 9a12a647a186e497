/** The page of an account: its notes, their synchronization with the server, and the sign-out. */
import { deleteRepo } from 'pdsdb/browser';
import { button } from '../../page/element.ts';
import { tell } from '../../page/toast.ts';
import type { AccountNotebook } from './account-notebook.ts';
import { AccountPanel } from './account-panel.ts';
import { App } from './app.ts';
import type { KeptAccount } from './kept-account.ts';
import { forgetSessions, keepAccount, nameOf, onOtherAccount } from './kept-account.ts';
import { readLocalNotes } from './local-notebook.ts';
import type { Note } from './notebook.ts';
import { worker } from './repo-worker.ts';
import type { OpenSession } from './sign-in.ts';
import { signIn } from './sign-in.ts';
import { Syncing } from './syncing.ts';

export class AccountPage {
  readonly #account: KeptAccount;
  readonly #notebook: AccountNotebook;
  readonly #app: App;
  readonly #panel: AccountPanel;
  readonly #syncing: Syncing;
  readonly #onLeave: () => void;
  #session: OpenSession | undefined;
  #notes: readonly Note[] = [];
  #local: readonly Note[] = [];
  #isLeaving = false;
  #stopListening: () => void = () => undefined;

  /** @param onLeave Called after a sign-out. */
  constructor(account: KeptAccount, notebook: AccountNotebook, session: OpenSession | undefined, onLeave: () => void) {
    this.#account = account;
    this.#notebook = notebook;
    this.#session = session;
    this.#onLeave = onLeave;
    this.#app = new App(notebook, (notes) => {
      this.#notes = notes;
      this.#show();
    });
    this.#syncing = new Syncing(notebook, account, () => this.#show());
    this.#panel = new AccountPanel(account, {
      onSignIn: async (given) => {
        const opened = await signIn(given);
        this.#session = opened.session;
        this.#syncing.use(opened.session.call);
      },
      onSync: () => void this.#syncing.now(),
      onSignOut: (lost) => void this.#leave(lost).catch((error: unknown) => this.#app.report(error)),
      onTakeIn: () => void this.#takeIn().catch((error: unknown) => this.#app.report(error)),
    });
  }

  start(root: HTMLElement): App {
    this.#app.start(root, this.#panel.element);
    this.#syncing.start(this.#session?.call);
    this.#stopListening = onOtherAccount(() => {
      tell(
        'Another tab has signed in or out.',
        button('Reload', () => location.reload()),
      );
    });
    readLocalNotes().then(
      (notes) => {
        this.#local = notes;
        this.#show();
      },
      (error: unknown) => this.#app.report(error),
    );
    return this.#app;
  }

  #newNotes(): readonly Note[] {
    const known = new Set(this.#notes.map(({ rkey }) => rkey));
    return this.#local.filter(({ rkey }) => !known.has(rkey));
  }

  async #takeIn(): Promise<void> {
    const notes = this.#newNotes();
    this.#local = [];
    await this.#notebook.takeIn(notes);
  }

  #show(): void {
    if (this.#isLeaving) {
      return;
    }
    const { state: sync, error, hasSession } = this.#syncing;
    this.#notebook.outbox.pending().then(
      (entries) =>
        this.#panel.show({
          pending: entries.length,
          conflicts: entries.filter(({ state }) => state === 'conflict').length,
          sync,
          error,
          hasSession,
          localNotes: this.#newNotes().length,
        }),
      (failure: unknown) => {
        if (!this.#isLeaving) {
          this.#app.report(failure);
        }
      },
    );
  }

  /**
   * Ends the session, and keeps or deletes the copy.
   * @param lost The number of unsent changes that the user agrees to lose, or `undefined` to keep the copy.
   */
  async #leave(lost: number | undefined): Promise<void> {
    await this.#syncing.stop();
    const pending = await this.#notebook.countPending();
    // The user agreed to lose `lost` changes. If there are more now, the copy stays.
    const isKept = lost === undefined || pending > lost;
    this.#isLeaving = true;
    this.#app.stop();
    this.#stopListening();
    await this.#session?.signOut();
    forgetSessions();
    await this.#notebook.close();
    keepAccount({ ...this.#account, isOpen: false });
    try {
      if (!isKept) {
        await deleteRepo(this.#account.did, { worker });
        keepAccount(undefined);
      }
    } finally {
      this.#onLeave();
    }
    if (lost !== undefined && isKept) {
      tell('The copy was kept, because it has more unsent changes now.');
    } else {
      tell(`Signed out of ${nameOf(this.#account)}.`);
    }
  }
}
