/** One note: read, changed in its place, or deleted. */
import { button, element } from '../../page/element.ts';
import { dateOf, formatShortDate } from '../../page/quantities.ts';
import type { Note } from './notebook.ts';

export interface NoteActions {
  /** Resolves when the change is kept. */
  readonly onChange: (note: Note, text: string) => Promise<void>;
  readonly onRemove: (note: Note) => void;
}

const timeOf = ({ createdAt, updatedAt }: Note): HTMLElement => {
  const date = dateOf(updatedAt ?? createdAt);
  const text = date === undefined ? '' : `${updatedAt === undefined ? '' : 'Edited '}${formatShortDate(date)}`;
  return element('time', { class: 'quiet', datetime: date?.toISOString() }, text);
};

export class NoteView {
  readonly element: HTMLElement = element('li', { class: 'note-item' });
  readonly #actions: NoteActions;
  #note: Note;
  #isEditing = false;

  constructor(note: Note, actions: NoteActions) {
    this.#note = note;
    this.#actions = actions;
    this.element.dataset['rkey'] = note.rkey;
    this.#show();
  }

  /** Shows what the note says now, unless somebody is writing in it here: that must not be lost. */
  update(note: Note): void {
    const isSame = note.text === this.#note.text && note.updatedAt === this.#note.updatedAt;
    this.#note = note;
    if (!isSame && !this.#isEditing) {
      this.#show();
    }
  }

  #show(): void {
    this.#isEditing = false;
    const edit = button('Edit', () => this.#edit(), { class: 'plain', 'aria-label': `Edit: ${this.#note.text.slice(0, 40)}` });
    const remove = button('Delete', () => this.#actions.onRemove(this.#note), { class: 'plain danger', 'aria-label': `Delete: ${this.#note.text.slice(0, 40)}` });
    this.element.replaceChildren(
      element('p', { class: 'note-text' }, this.#note.text),
      element('div', { class: 'note-foot' }, timeOf(this.#note), element('div', { class: 'actions' }, edit, remove)),
    );
  }

  #edit(): void {
    this.#isEditing = true;
    const field = element('textarea', { 'aria-label': 'Note', rows: 3 });
    field.value = this.#note.text;
    const save = button('Save', () => this.#save(field), { class: 'primary' });
    const cancel = button('Cancel', () => this.#leave());
    field.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        this.#leave();
      } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        this.#save(field);
      }
    });
    this.element.replaceChildren(field, element('div', { class: 'note-foot' }, element('div', { class: 'actions' }, save, cancel)));
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  #leave(): void {
    this.#show();
    this.element.querySelector('button')?.focus();
  }

  #save(field: HTMLTextAreaElement): void {
    const text = field.value.trim();
    if (text === '' || text === this.#note.text) {
      this.#leave();
      return;
    }
    field.disabled = true;
    this.#actions.onChange(this.#note, text).then(
      () => this.#leave(),
      // What went wrong is said by the page; what was written stays where it is.
      () => (field.disabled = false),
    );
  }
}
