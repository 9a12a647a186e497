/** The offer to keep the notes in an account. */
import { button, element } from '../../page/element.ts';
import type { KeptAccount } from './kept-account.ts';
import { nameOf } from './kept-account.ts';
import type { SignIn } from './sign-in.ts';
import { signInForm } from './sign-in-form.ts';

/** @param kept An account whose copy stayed here after a sign-out. `onOpen` shows it without a session. */
export const signInPanel = (
  kept: KeptAccount | undefined,
  onSignIn: (given: SignIn, report: (text: string) => void) => Promise<void>,
  onOpen: () => void,
): HTMLElement =>
  element(
    'section',
    { class: 'about account' },
    element('h2', {}, 'On several devices'),
    element(
      'p',
      { class: 'quiet' },
      'Sign in to keep notes as records of your AT Protocol account, and to see them on your other devices. Records are public. You can write without a network; the notes are sent later.',
    ),
    kept === undefined
      ? undefined
      : element('div', { class: 'actions' }, button(`Open the copy of ${nameOf(kept)}`, onOpen)),
    element('details', {}, element('summary', {}, 'Sign in'), signInForm(undefined, onSignIn)),
  );
