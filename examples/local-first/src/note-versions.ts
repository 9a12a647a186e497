/** A note that this device and the server have both changed: both texts, and the choice between them. */
import { button, element } from '../../page/element.ts';
import type { Conflict } from './notebook.ts';

export type Choice = 'ours' | 'theirs';

const version = (name: string, text: string | undefined, action: HTMLElement): HTMLElement =>
  element(
    'div',
    { class: 'version' },
    element('p', { class: 'version-name quiet' }, name),
    text === undefined
      ? element('p', { class: 'quiet' }, 'The note is deleted.')
      : element('p', { class: 'note-text' }, text),
    element('div', { class: 'actions' }, action),
  );

/** Nothing is sent or lost until `onChoose` is called. */
export const noteVersions = ({ mine, theirs }: Conflict, onChoose: (choice: Choice) => void): HTMLElement => {
  const about = (mine ?? theirs ?? '').slice(0, 40);
  return element(
    'div',
    { class: 'elsewhere' },
    element('p', {}, 'This note was changed on another device too. Which one do you want to keep?'),
    version(
      'On this device',
      mine,
      button('Keep mine', () => onChoose('ours'), { 'aria-label': `Keep mine: ${about}` }),
    ),
    version(
      'At the server',
      theirs,
      button('Keep theirs', () => onChoose('theirs'), { 'aria-label': `Keep theirs: ${about}` }),
    ),
  );
};
