/**
 * All notes, newest first. Views stay with their notes, so that an edit in one tab does not disturb a reader in
 * another.
 */
import { element } from '../../page/element.ts';
import type { Note } from './notebook.ts';
import type { NoteActions } from './note-view.ts';
import { NoteView } from './note-view.ts';

export type NoteListActions = Omit<NoteActions, 'onGone'>;

export class NoteList {
  readonly element: HTMLElement = element('div', {});
  readonly #list: HTMLElement = element('ul', { class: 'note-list', 'aria-label': 'Notes' });
  readonly #empty: HTMLElement = element('p', { class: 'empty quiet' });
  readonly #actions: NoteActions;
  readonly #views = new Map<string, NoteView>();

  /** @param emptyWords What is shown if there are no notes. */
  constructor(emptyWords: string, actions: NoteListActions) {
    this.#empty.append(emptyWords);
    this.#actions = { ...actions, onGone: (rkey) => this.#drop(rkey) };
    this.#empty.hidden = true;
    this.#list.hidden = true;
    this.element.append(this.#empty, this.#list);
  }

  show(notes: readonly Note[]): void {
    const gone = new Set(this.#views.keys());
    for (const note of notes) {
      gone.delete(note.rkey);
      const known = this.#views.get(note.rkey);
      known?.update(note);
      this.#views.set(note.rkey, known ?? new NoteView(note, this.#actions));
    }
    for (const rkey of gone) {
      // A note that is being edited stays until the edit ends.
      if (this.#views.get(rkey)?.remove() === true) {
        this.#views.delete(rkey);
      }
    }
    this.#place();
  }

  #drop(rkey: string): void {
    this.#views.delete(rkey);
    this.#place();
  }

  /** Moves only elements in the wrong place, because a moved element loses the focus. */
  #place(): void {
    const newestFirst = [...this.#views].sort(([a], [b]) => (a < b ? 1 : -1)).map(([, view]) => view.element);
    this.#list.hidden = newestFirst.length === 0;
    this.#empty.hidden = newestFirst.length > 0;
    const wanted = new Set(newestFirst);
    for (const child of [...this.#list.children]) {
      if (!wanted.has(child as HTMLElement)) {
        child.remove();
      }
    }
    newestFirst.forEach((child, i) => {
      if (this.#list.children[i] !== child) {
        this.#list.insertBefore(child, this.#list.children[i] ?? null);
      }
    });
  }
}
