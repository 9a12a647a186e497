/** One note: shown, edited or deleted. */
import { button, element } from '../../page/element.ts';
import { dateOf, formatShortDate } from '../../page/quantities.ts';
import type { Choice } from './note-versions.ts';
import { noteVersions } from './note-versions.ts';
import type { Note } from './notebook.ts';

export interface NoteActions {
  /** Resolves when the change is stored. */
  readonly onChange: (note: Note, text: string) => Promise<void>;
  readonly onRemove: (note: Note) => void;
  /** Ends a conflict with the account's server. */
  readonly onChoose: (note: Note, choice: Choice) => void;
  /** Drops a change that the account's server has refused. */
  readonly onDiscard: (note: Note) => void;
  /** Called when the edit of a note ends that another tab has deleted. */
  readonly onGone: (rkey: string) => void;
}

/** Everything that the view shows. */
const shownOf = ({ text, updatedAt, isPending, conflict, refusal }: Note): string =>
  JSON.stringify([text, updatedAt, isPending, conflict, refusal]);

const timeOf = ({ createdAt, updatedAt }: Note): HTMLElement => {
  const date = dateOf(updatedAt ?? createdAt);
  const text = date === undefined ? '' : `${updatedAt === undefined ? '' : 'Edited '}${formatShortDate(date)}`;
  return element('time', { class: 'quiet', datetime: date?.toISOString() }, text);
};

/** What another tab did to a note during an edit, and what a save then does. */
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
  /** During a save, changes of the note come from the save itself. */
  isSaving: boolean;
  /** The text of the note that the user has seen last. */
  seen: Note;
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

  /** Shows the present text of the note, beside the text of a running edit, which must not be lost. */
  update(note: Note): void {
    const isSame = shownOf(note) === shownOf(this.#note);
    this.#note = note;
    if (this.#draft !== undefined) {
      this.#tell(this.#draft);
    } else if (!isSame) {
      this.#show();
    }
  }

  /** Call it after the note was deleted. Returns whether the view can be removed: `false` during an edit. */
  remove(): boolean {
    this.#note = { ...this.#note, cid: undefined };
    if (this.#draft !== undefined) {
      this.#tell(this.#draft);
    }
    return this.#draft === undefined;
  }

  #show(): void {
    this.#draft = undefined;
    const { conflict } = this.#note;
    if (conflict === undefined) {
      this.#showText();
    } else {
      this.element.replaceChildren(noteVersions(conflict, (choice) => this.#actions.onChoose(this.#note, choice)));
    }
  }

  #showText(): void {
    const { isPending, refusal } = this.#note;
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
      ...(refusal === undefined ? [] : [this.#refused(refusal)]),
      element(
        'div',
        { class: 'note-foot' },
        timeOf(this.#note),
        isPending && refusal === undefined ? element('span', { class: 'quiet pending' }, 'Not sent yet') : undefined,
        element('div', { class: 'actions' }, edit, remove),
      ),
    );
  }

  #refused(refusal: string): HTMLElement {
    return element(
      'div',
      { class: 'elsewhere' },
      element('p', {}, 'The server has refused this change. Write another text, or drop the change.'),
      element('code', {}, refusal),
      element(
        'div',
        { class: 'actions' },
        button('Drop the change', () => this.#actions.onDiscard(this.#note)),
      ),
    );
  }

  #edit(): void {
    const field = element('textarea', { 'aria-label': 'Note', rows: 3 });
    field.value = this.#note.text;
    const draft: Draft = {
      field,
      notice: element('div', { class: 'elsewhere', role: 'status' }),
      isSaving: false,
      seen: this.#note,
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

  /** Shows what has changed in the note, so that the user knows what a save replaces. */
  #tell(draft: Draft): void {
    const { cid, text } = draft.seen;
    if (!draft.isSaving && (text !== this.#note.text || (cid === undefined) !== (this.#note.cid === undefined))) {
      draft.notice.replaceChildren(...elsewhere(this.#note));
    }
    if (!draft.isSaving) {
      draft.seen = this.#note;
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

  /** Ends the edit, and keeps the focus in the note. */
  #close(): void {
    this.#show();
    this.element.querySelector('button')?.focus();
  }

  #save(draft: Draft): void {
    const text = draft.field.value.trim();
    if (draft.isSaving) {
      return;
    }
    if (text === '' || (text === draft.seen.text && draft.seen.cid !== undefined)) {
      this.#leave();
      return;
    }
    draft.field.disabled = true;
    draft.isSaving = true;
    this.#actions.onChange(draft.seen, text).then(
      // Saved. The new text, or a deletion by another tab, follows in a moment.
      () => (draft.seen.cid === undefined ? this.#close() : this.#leave()),
      () => {
        // The page shows the error, and the text stays.
        draft.field.disabled = false;
        draft.isSaving = false;
        this.#tell(draft);
      },
    );
  }
}
