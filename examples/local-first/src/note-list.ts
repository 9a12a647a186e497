/** All notes, newest first. Views stay with their notes, so that an edit in one tab does not disturb a reader in another. */
import { element } from '../../page/element.ts';
import type { Note } from './notebook.ts';
import type { NoteActions } from './note-view.ts';
import { NoteView } from './note-view.ts';

export class NoteList {
  readonly element: HTMLElement = element('ul', { class: 'note-list', 'aria-label': 'Notes' });
  readonly #empty: HTMLElement = element('p', { class: 'empty quiet' }, 'Nothing here yet. The first note starts a repository of your own, in this browser.');
  readonly #actions: NoteActions;
  readonly #views = new Map<string, NoteView>();

  constructor(actions: NoteActions) {
    this.#actions = actions;
  }

  show(notes: readonly Note[]): void {
    const gone = new Set(this.#views.keys());
    const elements = notes.map((note) => {
      gone.delete(note.rkey);
      const known = this.#views.get(note.rkey);
      const view = known ?? new NoteView(note, this.#actions);
      this.#views.set(note.rkey, view);
      known?.update(note);
      return view.element;
    });
    gone.forEach((rkey) => this.#views.delete(rkey));
    this.#place(elements.length === 0 ? [this.#empty] : elements);
  }

  /** Moves only what is not in its place: an element that is moved loses the focus. */
  #place(elements: readonly HTMLElement[]): void {
    const wanted = new Set(elements);
    for (const child of [...this.element.children]) {
      if (!wanted.has(child as HTMLElement)) {
        child.remove();
      }
    }
    elements.forEach((child, i) => {
      if (this.element.children[i] !== child) {
        this.element.insertBefore(child, this.element.children[i] ?? null);
      }
    });
  }
}
