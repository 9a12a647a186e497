/** The account: what is not sent yet, and how to sign out. */
import { button, element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import { countOf } from '../../page/quantities.ts';
import type { KeptAccount } from './kept-account.ts';
import { nameOf } from './kept-account.ts';
import type { SignIn } from './sign-in.ts';
import { signInForm } from './sign-in-form.ts';
import type { SyncState } from './syncing.ts';

export interface AccountState {
  /** Changes that the server does not have. */
  readonly pending: number;
  readonly conflicts: number;
  readonly sync: SyncState;
  readonly error: unknown;
  readonly hasSession: boolean;
  /** Notes of this browser that the account does not have. */
  readonly localNotes: number;
}

export interface AccountActions {
  readonly onSignIn: (given: SignIn, report: (text: string) => void) => Promise<void>;
  readonly onSync: () => void;
  /** @param lost The number of unsent changes that the user agrees to lose, or `undefined` to keep the copy. */
  readonly onSignOut: (lost: number | undefined) => void;
  readonly onTakeIn: () => void;
}

/** Says where the changes are. */
const wordsOf = ({ pending, conflicts, sync, hasSession }: AccountState): string => {
  const changes = countOf(pending, 'change');
  if (conflicts > 0) {
    return `${countOf(conflicts, 'note')} changed here and at the server: choose which one to keep.`;
  }
  switch (sync) {
    case 'sending':
      return pending === 0 ? 'Comparing with the server…' : `Sending ${changes}…`;
    case 'unreachable':
      return `No connection to the server. ${pending === 0 ? 'Nothing waits to be sent.' : `${changes} will be sent later.`}`;
    case 'rateLimited':
      return `The server accepts more requests later. ${changes} will be sent then.`;
    case 'inactive':
      return `The account is not active at its server. ${changes} will be sent later.`;
    case 'waitingForSession':
      return `The server no longer accepts the session. ${changes} will be sent when you sign in.`;
    case 'failed':
      return `The last attempt failed. ${changes} will be sent later.`;
    default:
      return pending === 0
        ? 'Everything is at the server.'
        : hasSession
          ? `${changes} not sent yet.`
          : `${changes} not sent yet. They stay in this browser.`;
  }
};

export class AccountPanel {
  readonly element: HTMLElement;
  readonly #actions: AccountActions;
  readonly #words: HTMLElement = element('p', { role: 'status', class: 'sync-state' });
  readonly #trouble: HTMLElement = element('div', { class: 'trouble' });
  readonly #form: HTMLElement;
  readonly #local: HTMLElement = element('div', { class: 'actions' });
  readonly #leaving: HTMLElement = element('div', { class: 'leaving' });
  #state: AccountState | undefined;

  constructor(account: KeptAccount, actions: AccountActions) {
    this.#actions = actions;
    this.#form = signInForm(account, actions.onSignIn);
    this.#form.hidden = true;
    this.element = element(
      'section',
      { class: 'about account' },
      element('h2', {}, nameOf(account)),
      this.#words,
      this.#trouble,
      this.#form,
      element(
        'div',
        { class: 'actions' },
        button('Sync now', actions.onSync),
        button('Sign out', () => this.#askToLeave()),
      ),
      this.#leaving,
      this.#local,
    );
  }

  show(state: AccountState): void {
    this.#state = state;
    const { sync, error, hasSession, localNotes } = state;
    const words = wordsOf(state);
    if (this.#words.textContent !== words) {
      this.#words.replaceChildren(words);
    }
    const isTold = sync === 'failed' && error !== undefined;
    this.#trouble.replaceChildren(...(isTold ? [errorNote(error)] : []));
    this.#form.hidden = hasSession && sync !== 'waitingForSession';
    const label = `Add ${countOf(localNotes, 'note')} of this browser`;
    if (localNotes === 0) {
      this.#local.replaceChildren();
    } else if (this.#local.textContent !== label) {
      this.#local.replaceChildren(button(label, this.#actions.onTakeIn));
    }
  }

  /** Shows the choice again with the present number of unsent changes. */
  #askToLeave(): void {
    const lost = this.#state?.pending ?? 0;
    const changes = countOf(lost, 'unsent change');
    const close = (): void => this.#leaving.replaceChildren();
    const leave = (given: number | undefined): void => {
      close();
      this.#actions.onSignOut(given);
    };
    this.#leaving.replaceChildren(
      element(
        'div',
        { class: 'note warn', role: 'alert' },
        element('h2', {}, lost === 0 ? 'Keep the copy in this browser?' : `The server does not have ${changes}.`),
        element(
          'p',
          {},
          lost === 0
            ? 'The account keeps all notes at its server.'
            : 'If you keep the copy, they are sent after the next sign-in. If you delete it, they are lost.',
        ),
        element(
          'div',
          { class: 'actions' },
          button('Keep the copy', () => leave(undefined), { class: 'primary' }),
          button(lost === 0 ? 'Delete the copy' : `Delete the copy and ${changes}`, () => leave(lost), {
            class: 'danger',
          }),
          button('Cancel', close),
        ),
      ),
    );
  }
}
