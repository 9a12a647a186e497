/** One note: read, changed in its place, or deleted. */
import { button, element } from '../../page/element.ts';
import { dateOf, formatShortDate } from '../../page/quantities.ts';
import type { Note } from './notebook.ts';

export interface NoteActions {
  /** Resolves when the change is kept. */
  readonly onChange: (note: Note, text: string) => Promise<void>;
  readonly onRemove: (note: Note) => void;
  /** Called when a note that was deleted elsewhere is not written in any more. */
  readonly onGone: (rkey: string) => void;
}

const timeOf = ({ createdAt, updatedAt }: Note): HTMLElement => {
  const date = dateOf(updatedAt ?? createdAt);
  const text = date === undefined ? '' : `${updatedAt === undefined ? '' : 'Edited '}${formatShortDate(date)}`;
  return element('time', { class: 'quiet', datetime: date?.toISOString() }, text);
};

/** What became of a note while it is being written in, and what saving does about that. */
const elsewhere = ({ cid, text }: Note): readonly HTMLElement[] =>
  cid === undefined
    ? [element('p', {}, 'This note was deleted meanwhile. Save puts it back, with what you have written.')]
    : [
        element('p', {}, 'This note was changed meanwhile. Save replaces what it says now:'),
        element('p', { class: 'note-text' }, text),
      ];

interface Draft {
  readonly field: HTMLTextAreaElement;
  readonly notice: HTMLElement;
  /** While it is being saved, what is heard of the note is of the saving itself. */
  isSaving: boolean;
  /** What the note says, as far as whoever writes knows. */
  told: Note;
}

export class NoteView {
  readonly element: HTMLElement = element('li', { class: 'note-item' });
  readonly #actions: NoteActions;
  #note: Note;
  #draft: Draft | undefined;

  constructor(note: Note, actions: NoteActions) {
    this.#note = note;
    this.#actions = actions;
    this.element.dataset['rkey'] = note.rkey;
    this.#show();
  }

  /** Shows what the note says now; beside what somebody is writing in it here, which must not be lost. */
  update(note: Note): void {
    const isSame = note.text === this.#note.text && note.updatedAt === this.#note.updatedAt;
    this.#note = note;
    if (this.#draft !== undefined) {
      this.#tell(this.#draft);
    } else if (!isSame) {
      this.#show();
    }
  }

  /** The note has been deleted. Answers whether the view can go: not while somebody is writing in it. */
  remove(): boolean {
    this.#note = { ...this.#note, cid: undefined };
    if (this.#draft !== undefined) {
      this.#tell(this.#draft);
    }
    return this.#draft === undefined;
  }

  #show(): void {
    this.#draft = undefined;
    const edit = button('Edit', () => this.#edit(), {
      class: 'plain',
      'aria-label': `Edit: ${this.#note.text.slice(0, 40)}`,
    });
    const remove = button('Delete', () => this.#actions.onRemove(this.#note), {
      class: 'plain danger',
      'aria-label': `Delete: ${this.#note.text.slice(0, 40)}`,
    });
    this.element.replaceChildren(
      element('p', { class: 'note-text' }, this.#note.text),
      element('div', { class: 'note-foot' }, timeOf(this.#note), element('div', { class: 'actions' }, edit, remove)),
    );
  }

  #edit(): void {
    const field = element('textarea', { 'aria-label': 'Note', rows: 3 });
    field.value = this.#note.text;
    const draft: Draft = {
      field,
      notice: element('div', { class: 'elsewhere', role: 'status' }),
      isSaving: false,
      told: this.#note,
    };
    this.#draft = draft;
    const save = button('Save', () => this.#save(draft), { class: 'primary' });
    const cancel = button('Cancel', () => this.#leave());
    field.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        this.#leave();
      } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        this.#save(draft);
      }
    });
    this.element.replaceChildren(
      field,
      draft.notice,
      element('div', { class: 'note-foot' }, element('div', { class: 'actions' }, save, cancel)),
    );
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  /** Says what has become of the note since the last time. Whoever saves after that does it knowingly. */
  #tell(draft: Draft): void {
    const { cid, text } = draft.told;
    if (!draft.isSaving && (text !== this.#note.text || (cid === undefined) !== (this.#note.cid === undefined))) {
      draft.notice.replaceChildren(...elsewhere(this.#note));
    }
    if (!draft.isSaving) {
      draft.told = this.#note;
    }
  }

  #leave(): void {
    if (this.#note.cid === undefined) {
      this.#draft = undefined;
      this.#actions.onGone(this.#note.rkey);
    } else {
      this.#close();
    }
  }

  /** Goes on from writing to reading, with the keyboard where it was. */
  #close(): void {
    this.#show();
    this.element.querySelector('button')?.focus();
  }

  #save(draft: Draft): void {
    const text = draft.field.value.trim();
    if (draft.isSaving) {
      return;
    }
    if (text === '' || (text === draft.told.text && draft.told.cid !== undefined)) {
      this.#leave();
      return;
    }
    draft.field.disabled = true;
    draft.isSaving = true;
    this.#actions.onChange(draft.told, text).then(
      // Saved, and deleted right after that; or saved, and what it says comes in a moment.
      () => (draft.told.cid === undefined ? this.#close() : this.#leave()),
      () => {
        // What went wrong is said by the page; what was written stays where it is.
        draft.field.disabled = false;
        draft.isSaving = false;
        this.#tell(draft);
      },
    );
  }
}
