/** The form for an account and its app password. */
import { button, element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import type { KeptAccount } from './kept-account.ts';
import { nameOf } from './kept-account.ts';
import { clientOf } from './oauth-client.ts';
import type { SignIn } from './sign-in.ts';

const field = (label: string, input: HTMLInputElement): HTMLElement =>
  element('label', { class: 'field' }, element('span', {}, label), input);

/**
 * @param known The account, if it is known. Then only its password is asked for.
 * @param onSignIn Resolves when the page shows the account. `report` shows a text meanwhile.
 */
export const signInForm = (
  known: KeptAccount | undefined,
  onSignIn: (given: SignIn, report: (text: string) => void) => Promise<void>,
): HTMLElement => {
  const account = element('input', { type: 'text', autocomplete: 'username', autocapitalize: 'none', required: true });
  const password = element('input', { type: 'password', autocomplete: 'current-password', required: true });
  const stay = element('input', { type: 'checkbox' });
  const server = element('input', { type: 'url', placeholder: 'https://pds.example.com' });
  const directory = element('input', { type: 'url', placeholder: 'https://plc.directory' });
  const submit = element('button', { type: 'submit', class: 'primary' }, 'Sign in');
  const progress = element('p', { class: 'quiet', role: 'status' });
  const trouble = element('div', { class: 'trouble' });

  const addressIn = (input: HTMLInputElement): string | undefined => input.value.trim() || undefined;
  const given = (): SignIn => ({
    identifier: known?.did ?? account.value.trim(),
    password: password.value,
    pdsUrl: known?.pdsUrl ?? addressIn(server),
    plcUrl: known?.plcUrl ?? addressIn(directory),
    isKept: stay.checked,
  });

  const run = async (attempt: () => Promise<void>): Promise<void> => {
    submit.disabled = true;
    trouble.replaceChildren();
    try {
      await attempt();
      password.value = '';
    } catch (error) {
      trouble.replaceChildren(errorNote(error));
    } finally {
      progress.replaceChildren();
      submit.disabled = false;
    }
  };
  const onsubmit = (event: Event): void => {
    event.preventDefault();
    void run(() => onSignIn(given(), (text) => progress.replaceChildren(text)));
  };
  const atServer = button('Sign in at the server', () => {
    if (known !== undefined || account.reportValidity()) {
      // Loaded when it is needed: most visits do without it.
      void run(async () => (await import('./oauth.ts')).goToServer(given()));
    }
  });
  const ownServer = element(
    'details',
    {},
    element('summary', {}, 'A server of your own'),
    field('Address of the server', server),
    field('Address of its PLC directory', directory),
  );
  return element(
    'form',
    { class: 'sign-in', onsubmit },
    known === undefined
      ? field('Handle or DID', account)
      : element('p', {}, `Sign in as ${nameOf(known)} to send them.`),
    field('App password', password),
    element('label', { class: 'check' }, stay, element('span', {}, 'Stay signed in')),
    element(
      'p',
      { class: 'quiet' },
      'The password is sent to the server only, and is not stored. If you stay signed in, the tokens of the session are in the local storage of this browser, where every script of this site can read them. Otherwise the session ends with this page.',
    ),
    known === undefined ? ownServer : undefined,
    element('div', { class: 'actions' }, submit, clientOf(location) && atServer),
    progress,
    trouble,
  );
};
