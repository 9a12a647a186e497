/** An error, for people to read. */
import { element } from './element.ts';
import type { PlainError } from './plain-words.ts';
import { inPlainWords } from './plain-words.ts';

export const plainNote = ({ what, advice, detail }: PlainError, ...actions: readonly HTMLElement[]): HTMLElement =>
  element(
    'div',
    { class: 'note bad', role: 'alert' },
    element('h2', {}, what),
    element('p', {}, advice),
    element('details', {}, element('summary', {}, 'What the library said'), element('code', {}, detail)),
    ...(actions.length === 0 ? [] : [element('div', { class: 'actions' }, ...actions)]),
  );

export const errorNote = (error: unknown, ...actions: readonly HTMLElement[]): HTMLElement =>
  plainNote(inPlainWords(error), ...actions);
