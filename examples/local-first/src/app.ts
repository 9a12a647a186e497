/** The page: the notes, the actions on all of them, and their storage. */
import { button, element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import { fileButton } from '../../page/file-button.ts';
import { keepButton } from '../../page/keep-button.ts';
import { isAbort } from '../../page/plain-words.ts';
import { countOf } from '../../page/quantities.ts';
import { fileNameOf, saveFile } from '../../page/save-file.ts';
import { tell } from '../../page/toast.ts';
import { AccountNotebook } from './account-notebook.ts';
import { composer } from './composer.ts';
import type { Note, Notebook } from './notebook.ts';
import { NoteList } from './note-list.ts';
import { storageFacts } from './storage-facts.ts';

/** Who can read and change the notes. */
const OWN_WORDS =
  'Each change is a commit, signed with a key that was made in this browser and stays in its local storage. Anyone who can use this browser profile, or run a script on this site, can read the key and the notes. If site data are cleared, both are lost. An export has the notes and not the key: any viewer of repositories can read it, but another browser cannot continue it.';
const ACCOUNT_WORDS =
  'The notes are records of your account, which its server signs. This browser has a copy of the account, and the changes that the server does not have yet. An export has what the server has. If site data are cleared, changes that were not sent are lost.';

const OWN_EMPTY = 'Nothing here yet. The first note starts a repository of your own, in this browser.';
const ACCOUNT_EMPTY = 'Nothing here yet. The notes that you add become records of your account.';

export class App {
  readonly #notebook: Notebook;
  readonly #trouble: HTMLElement = element('div', { class: 'trouble' });
  readonly #facts: HTMLElement = element('div', { class: 'storage' });
  readonly #list: NoteList;
  readonly #onRead: (notes: readonly Note[]) => void;
  #end: () => void = () => undefined;
  /** Reads one at a time. A change during a read causes another read. */
  #isReading = false;
  #isStale = false;

  /** @param onRead Called with the notes, each time they were read. */
  constructor(notebook: Notebook, onRead: (notes: readonly Note[]) => void = () => undefined) {
    this.#notebook = notebook;
    this.#onRead = onRead;
    this.#list = new NoteList(this.#isOwn ? OWN_EMPTY : ACCOUNT_EMPTY, {
      onChange: (note, text) => this.#try(() => notebook.change(note, text)),
      onRemove: (note) => this.#remove(note),
      onChoose: (note, choice) => this.#doForAccount((account) => account.resolve(note, choice)),
      onDiscard: (note) => this.#doForAccount((account) => account.discard(note)),
    });
  }

  /** Shows the page, and updates it after changes of any tab. */
  start(root: HTMLElement, account: HTMLElement): void {
    root.replaceChildren(
      element(
        'main',
        { class: 'notes' },
        element('h1', {}, 'Notes'),
        composer((text) => this.#try(() => this.#notebook.add(text))),
        this.#trouble,
        this.#list.element,
        account,
        element(
          'section',
          { class: 'about' },
          element('h2', {}, 'These notes'),
          this.#facts,
          this.#actions(),
          element('p', { class: 'quiet key-words' }, this.#isOwn ? OWN_WORDS : ACCOUNT_WORDS),
        ),
      ),
    );
    this.#end = this.#notebook.onChange(() => this.refresh());
    this.refresh();
  }

  /** Ends the updates. The notebook stays open. */
  stop(): void {
    this.#end();
    this.#isStale = false;
  }

  /** Reads the notes again. */
  refresh(): void {
    this.#isStale = true;
    if (!this.#isReading) {
      this.#isReading = true;
      this.#read()
        .catch((error: unknown) => this.report(error))
        .finally(() => (this.#isReading = false));
    }
  }

  report(error: unknown): void {
    this.#trouble.replaceChildren(errorNote(error));
  }

  /** Whether the notes are in a repository that this browser signs. */
  get #isOwn(): boolean {
    return !(this.#notebook instanceof AccountNotebook);
  }

  async #read(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      const notes = await this.#notebook.read();
      this.#list.show(notes);
      this.#onRead(notes);
      this.#facts.replaceChildren(await storageFacts(this.#notebook.repo, this.#isOwn ? 'note' : 'record'));
    }
  }

  /** Runs a change. Shows an error and throws it. */
  async #try(run: () => Promise<void>): Promise<void> {
    this.#trouble.replaceChildren();
    try {
      await run();
    } catch (error) {
      if (!isAbort(error)) {
        this.report(error);
      }
      throw error;
    }
  }

  /** The same for a caller that does not wait. The error is shown. */
  #do(run: () => Promise<void>): void {
    this.#try(run).catch(() => undefined);
  }

  #doForAccount(run: (notebook: AccountNotebook) => Promise<void>): void {
    const notebook = this.#notebook;
    if (notebook instanceof AccountNotebook) {
      this.#do(() => run(notebook));
    }
  }

  #remove(note: Note): void {
    this.#do(async () => {
      await this.#notebook.remove(note);
      tell(
        'Note deleted.',
        button('Undo', () => this.#do(() => this.#notebook.restore(note))),
      );
    });
  }

  #actions(): HTMLElement {
    return element(
      'div',
      { class: 'actions' },
      keepButton(() => this.refresh()),
      button('Export', () => this.#do(() => this.#export())),
      this.#isOwn ? fileButton('Import', (file) => this.#do(() => this.#import(file))) : undefined,
    );
  }

  async #export(): Promise<void> {
    const name = `${fileNameOf('notes', new Date().toISOString().slice(0, 10))}.car`;
    await saveFile(name, 'application/vnd.ipld.car', () => this.#notebook.repo.exportCar());
    tell('Exported.');
  }

  /**
   * Imports an export of the same account. An export that is older than the repository is refused.
   */
  async #import(file: File): Promise<void> {
    const { repo } = this.#notebook;
    const { created, updated, deleted } = await repo.importCar(file, { key: repo.did });
    const changed = created + updated + deleted;
    tell(changed === 0 ? 'Nothing in it is new.' : `${countOf(changed, 'note')} brought up to date.`);
  }
}
