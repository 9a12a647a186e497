/** The overview of a repository: facts, verification, export and deletion. */
import type { ImportResult, Repo, RepoInfo } from 'pdsdb';
import { ZERO_TID, isTid, tidToMicroseconds } from 'pdsdb';
import { button, element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import { keepButton } from '../../page/keep-button.ts';
import { isAbort } from '../../page/plain-words.ts';
import { countOf, formatCount, formatDate } from '../../page/quantities.ts';
import { tell } from '../../page/toast.ts';
import { bulkBlobs } from './bulk-blobs.ts';
import { saveCar } from './export.ts';
import { faultList, importWords } from './verify-words.ts';
import { verifyPanel } from './verify-panel.ts';

const STORAGES: Readonly<Record<string, string>> = {
  indexeddb: 'IndexedDB of this browser',
  opfs: 'The private file system of this browser (OPFS)',
};

const fact = (name: string, ...value: readonly (Node | string)[]): HTMLElement =>
  element('div', {}, element('dt', {}, name), element('dd', {}, ...value));

const keptIn = ({ storage, persistent }: RepoInfo): HTMLElement => {
  const kept = persistent === true ? '' : '. The browser may clear it when room gets short: keep the file, too.';
  return fact(
    'Kept in',
    storage === undefined ? 'memory, until the page is closed' : `${STORAGES[storage] ?? storage}${kept}`,
  );
};

const factsOf = (info: RepoInfo): HTMLElement => {
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

export interface OverviewOptions {
  /** The result of the import that opened this page. */
  readonly imported?: ImportResult | undefined;
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

/** The overview page of a repository. */
export const overview = async (
  repo: Repo,
  { imported, onDelete, onSaveFolder }: OverviewOptions,
): Promise<HTMLElement> => {
  const info = await repo.info();
  const facts = factsOf(info);
  const keep = keepButton(() => {
    keep.remove();
    facts.lastElementChild?.replaceWith(keptIn({ ...info, persistent: true }));
  });
  const trouble = element('div', {});
  const report = (error: unknown): void => trouble.replaceChildren(errorNote(error));
  const dialog = deleteDialog(repo.did, onDelete);
  return element(
    'article',
    { class: 'overview' },
    element('h2', { class: 'mono title' }, repo.did),
    imported === undefined ? undefined : importNote(imported, repo.did),
    element('section', {}, facts, info.persistent === false ? keep : undefined),
    verifyPanel(repo),
    bulkBlobs(repo),
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
        working('Export CAR', () => saveCar(repo, info.rev), report),
        working('Export folder', () => onSaveFolder(info.rev), report),
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
};
