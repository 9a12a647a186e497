/** The page: the notes, the actions on all of them, and their storage. */
import type { Repo } from 'pdsdb';
import { button, element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import { fileButton } from '../../page/file-button.ts';
import { keepButton } from '../../page/keep-button.ts';
import { isAbort } from '../../page/plain-words.ts';
import { countOf } from '../../page/quantities.ts';
import { fileNameOf, saveFile } from '../../page/save-file.ts';
import { tell } from '../../page/toast.ts';
import { composer } from './composer.ts';
import type { Note } from './notebook.ts';
import { addNote, changeNote, readNotes, removeNote, restoreNote } from './notebook.ts';
import { NoteList } from './note-list.ts';
import { storageFacts } from './storage-facts.ts';

export class App {
  readonly #repo: Repo;
  readonly #trouble: HTMLElement = element('div', { class: 'trouble' });
  readonly #facts: HTMLElement = element('div', { class: 'storage' });
  readonly #list: NoteList;
  /** Reads one at a time. A change during a read causes another read. */
  #isReading = false;
  #isStale = false;

  constructor(repo: Repo) {
    this.#repo = repo;
    this.#list = new NoteList({
      onChange: (note, text) => this.#try(() => changeNote(repo, note, text)),
      onRemove: (note) => this.#remove(note),
    });
  }

  /** Shows the page, and updates it after changes of any tab. */
  start(root: HTMLElement): void {
    root.replaceChildren(
      element(
        'main',
        { class: 'notes' },
        element('h1', {}, 'Notes'),
        composer((text) => this.#try(() => addNote(this.#repo, text))),
        this.#trouble,
        this.#list.element,
        element(
          'section',
          { class: 'about' },
          element('h2', {}, 'These notes'),
          this.#facts,
          this.#actions(),
          this.#keyWords(),
        ),
      ),
    );
    this.#repo.onChange(() => this.refresh());
    this.refresh();
  }

  /** Reads the notes again. */
  refresh(): void {
    this.#isStale = true;
    if (!this.#isReading) {
      this.#isReading = true;
      this.#read()
        .catch((error: unknown) => this.#report(error))
        .finally(() => (this.#isReading = false));
    }
  }

  async #read(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      this.#list.show(await readNotes(this.#repo));
      this.#facts.replaceChildren(await storageFacts(this.#repo));
    }
  }

  #report(error: unknown): void {
    this.#trouble.replaceChildren(errorNote(error));
  }

  /** Runs a change. Shows an error and throws it. */
  async #try(run: () => Promise<void>): Promise<void> {
    this.#trouble.replaceChildren();
    try {
      await run();
    } catch (error) {
      if (!isAbort(error)) {
        this.#report(error);
      }
      throw error;
    }
  }

  /** The same for a caller that does not wait. The error is shown. */
  #do(run: () => Promise<void>): void {
    this.#try(run).catch(() => undefined);
  }

  #remove(note: Note): void {
    this.#do(async () => {
      await removeNote(this.#repo, note);
      tell(
        'Note deleted.',
        button('Undo', () => this.#do(() => restoreNote(this.#repo, note))),
      );
    });
  }

  #actions(): HTMLElement {
    return element(
      'div',
      { class: 'actions' },
      keepButton(() => this.refresh()),
      button('Export', () => this.#do(() => this.#export())),
      fileButton('Import', (file) => this.#do(() => this.#import(file))),
    );
  }

  async #export(): Promise<void> {
    const name = `${fileNameOf('notes', new Date().toISOString().slice(0, 10))}.car`;
    await saveFile(name, 'application/vnd.ipld.car', () => this.#repo.exportCar());
    tell('Exported.');
  }

  /**
   * Imports an export of the same account. An export that is older than the repository is refused.
   */
  async #import(file: File): Promise<void> {
    const { created, updated, deleted } = await this.#repo.importCar(file, { key: this.#repo.did });
    const changed = created + updated + deleted;
    tell(changed === 0 ? 'Nothing in it is new.' : `${countOf(changed, 'note')} brought up to date.`);
  }

  #keyWords(): HTMLElement {
    return element(
      'p',
      { class: 'quiet key-words' },
      'Each change is a commit, signed with a key that was made in this browser and stays in its local storage. Anyone who can use this browser profile, or run a script on this site, can read the key and the notes. If site data are cleared, both are lost. An export has the notes and not the key: any viewer of repositories can read it, but another browser cannot continue it.',
    );
  }
}
