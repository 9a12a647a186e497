/** The overview of a repository: facts, verification, export and deletion. */
import type { ImportResult, Repo, RepoInfo } from 'pdsdb';
import { ZERO_TID, isTid, tidToMicroseconds } from 'pdsdb';
import type { PullResult } from 'pdsdb/sync';
import { storedAccount } from 'pdsdb/sync';
import { button, element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import { keepButton } from '../../page/keep-button.ts';
import { isAbort } from '../../page/plain-words.ts';
import { countOf, formatCount, formatDate } from '../../page/quantities.ts';
import { tell } from '../../page/toast.ts';
import { accountFacts } from './account/account-facts.ts';
import { AllBlobs } from './blob/all-blobs.ts';
import { bulkBlobs } from './blob/bulk-blobs.ts';
import { saveCar } from './export.ts';
import { fact } from './fact.ts';
import { faultList, importWords } from './verify/verify-words.ts';
import { VerifyPanel } from './verify/verify-panel.ts';

const STORAGES: Readonly<Record<string, string>> = {
  indexeddb: 'IndexedDB of this browser',
  opfs: 'The private file system of this browser (OPFS)',
};

const keptIn = ({ storage, persistent }: RepoInfo): HTMLElement => {
  const kept = persistent === true ? '' : '. The browser may clear it when room gets short: keep the file, too.';
  return fact(
    'Kept in',
    storage === undefined ? 'memory, until the page is closed' : `${STORAGES[storage] ?? storage}${kept}`,
  );
};

const factsOf = (info: RepoInfo, account: readonly HTMLElement[]): HTMLElement => {
  const { rev, signed, records, blobs, commits } = info;
  const made =
    rev !== undefined && rev !== ZERO_TID && isTid(rev)
      ? formatDate(new Date(tidToMicroseconds(rev) / 1000))
      : rev === undefined
        ? 'None yet'
        : 'It does not say when';
  return element(
    'dl',
    { class: 'facts' },
    ...account,
    fact(
      'Last commit',
      made,
      rev === undefined ? '' : ', ',
      element('span', { class: 'mono' }, rev ?? ''),
      signed ? ', signed' : ', not signed',
    ),
    fact('Records', formatCount(records)),
    fact('Blobs here', formatCount(blobs)),
    fact('Commits here', formatCount(commits)),
    keptIn(info),
  );
};

const importNote = (result: ImportResult, did: string): HTMLElement => {
  const { faultCount, missingBlobs } = result;
  const blobs =
    missingBlobs === 0
      ? []
      : [
          element(
            'p',
            {},
            `The records mention ${countOf(missingBlobs, 'blob')} that ${missingBlobs === 1 ? 'is' : 'are'} not here: a CAR file holds records, and no pictures or films.`,
          ),
        ];
  const broken =
    faultCount === 0
      ? []
      : [
          element(
            'p',
            {},
            `${countOf(faultCount, 'record')} cannot be read, because they break the data model. They are kept as they are:`,
          ),
          faultList(result, did),
        ];
  return element(
    'div',
    { class: `note ${faultCount === 0 ? 'good' : 'warn'}`, role: 'status' },
    element('h2', {}, importWords(result)),
    ...blobs,
    ...broken,
  );
};

const cloneNote = ({ created, kept }: PullResult): HTMLElement =>
  element(
    'div',
    { class: 'note good', role: 'status' },
    element('h2', {}, `${countOf(created, 'record')} copied from the host and checked.`),
    element('p', {}, 'The newest commit is verified with the key of the DID document.'),
    kept === undefined ? undefined : element('p', {}, 'Changes that only this copy had are kept beside it.'),
  );

export interface OverviewOptions {
  /** The result of the import that opened this page. */
  readonly imported?: ImportResult | undefined;
  /** The result of the copy from the network that opened this page. */
  readonly cloned?: PullResult | undefined;
  readonly onDelete: () => void;
  /** Saves the folder of the repository at this rev. It must not be open meanwhile. */
  readonly onSaveFolder: (rev: string | undefined) => Promise<void>;
}

/** A button whose work may fail or be aborted. It is disabled while the work runs. */
const working = (label: string, run: () => Promise<void>, report: (error: unknown) => void): HTMLButtonElement => {
  const made = button(label, () => {
    made.disabled = true;
    run()
      .catch((error: unknown) => (isAbort(error) ? tell('Nothing was saved.') : report(error)))
      .finally(() => (made.disabled = false));
  });
  return made;
};

const deleteDialog = (did: string, onDelete: () => void): HTMLDialogElement => {
  const dialog = element(
    'dialog',
    { 'aria-labelledby': 'delete-title' },
    element('h2', { id: 'delete-title' }, 'Delete this repository here?'),
    element(
      'p',
      {},
      'The copy in this browser goes, with all that was added to it. The account and its server are not touched.',
    ),
    element('p', { class: 'mono quiet' }, did),
    element(
      'div',
      { class: 'actions' },
      button('Keep it', () => dialog.close(), { autofocus: true }),
      button('Delete', () => (dialog.close(), onDelete()), { class: 'danger' }),
    ),
  );
  return dialog;
};

/** The overview page of a repository. Its parts stay while the repository changes. */
export class Overview {
  readonly element: HTMLElement;
  readonly #repo: Repo;
  readonly #notes: HTMLElement = element('div', { class: 'notes' });
  readonly #facts: HTMLElement = element('section', {});
  readonly #verify: VerifyPanel;
  readonly #blobs: AllBlobs;
  #rev: string | undefined;
  #updates = 0;

  constructor(repo: Repo, { imported, cloned, onDelete, onSaveFolder }: OverviewOptions) {
    this.#repo = repo;
    this.#verify = new VerifyPanel(repo);
    this.#blobs = new AllBlobs(repo, () => {
      this.update().catch((error: unknown) => report(error));
    });
    const trouble = element('div', {});
    const report = (error: unknown): void => trouble.replaceChildren(errorNote(error));
    this.#notes.append(
      ...(imported === undefined ? [] : [importNote(imported, repo.did)]),
      ...(cloned === undefined ? [] : [cloneNote(cloned)]),
    );
    const dialog = deleteDialog(repo.did, onDelete);
    this.element = element(
      'article',
      { class: 'overview' },
      element('h2', { class: 'mono title' }, repo.did),
      this.#notes,
      this.#facts,
      this.#verify.element,
      bulkBlobs(repo, this.#blobs.element),
      element(
        'section',
        {},
        element('h2', {}, 'Take it with you'),
        element(
          'p',
          { class: 'quiet' },
          'A CAR holds all records, as servers exchange them. The folder holds the database and the blobs, and opens in Node, Deno and Bun.',
        ),
        element(
          'div',
          { class: 'actions' },
          working('Export CAR', () => saveCar(repo, this.#rev), report),
          working('Export folder', () => onSaveFolder(this.#rev), report),
        ),
        trouble,
      ),
      element(
        'section',
        {},
        element('h2', {}, 'Remove'),
        element(
          'div',
          { class: 'actions' },
          button('Delete from this browser', () => dialog.showModal(), { class: 'danger' }),
        ),
      ),
      dialog,
    );
  }

  /** Shows the facts as they are now. */
  async update(): Promise<void> {
    this.#updates += 1;
    const asked = this.#updates;
    const [info, account] = await Promise.all([this.#repo.info(), storedAccount(this.#repo)]);
    const facts = factsOf(info, account === undefined ? [] : await accountFacts(this.#repo, account, info.head));
    if (asked !== this.#updates) {
      return;
    }
    this.#rev = info.rev;
    const keep = keepButton(() => {
      keep.remove();
      facts.lastElementChild?.replaceWith(keptIn({ ...info, persistent: true }));
    });
    this.#facts.replaceChildren(facts, ...(info.persistent === false ? [keep] : []));
    this.#verify.setAccount(account);
  }

  /** Ends what runs. */
  close(): Promise<void> {
    return this.#blobs.close();
  }

  /** Removes what was said about the import. */
  removeNotes(): void {
    this.#notes.replaceChildren();
  }
}
