/** The first page: the stored repositories, and the import. */
import type { FolderEntry } from 'pdsdb/browser';
import { element } from '../../page/element.ts';
import { fileButton } from '../../page/file-button.ts';
import { countOf, formatBytes, formatDate } from '../../page/quantities.ts';
import { readAbout } from './account/about.ts';
import { accountField, advancedHosts } from './account/account-field.ts';
import { chosenFiles } from './import/folder-files.ts';
import { addressOf } from './route.ts';

const chooseFolder = (onFolder: (files: readonly FolderEntry[]) => void): HTMLElement => {
  const onchange = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const files = chosenFiles(input.files ?? []);
    input.value = '';
    if (files.length > 0) {
      onFolder(files);
    }
  };
  return element(
    'label',
    { class: 'button file' },
    'Choose a folder',
    element('input', { type: 'file', webkitdirectory: true, onchange }),
  );
};

export interface HomeOptions {
  readonly onFile: (file: File) => void;
  readonly onFolder: (files: readonly FolderEntry[]) => void;
  /** Called with what the user has typed to name an account. */
  readonly onAccount: (text: string) => void;
  /** The text of the field for an account at first. */
  readonly text?: string | undefined;
  /** A notice at the top, such as the reason why the last import failed. */
  readonly note?: HTMLElement | undefined;
}

/** The facts about a repository, with its display name first. */
const repoWords = (did: string): readonly HTMLElement[] => {
  const about = readAbout(did);
  const name = about?.displayName;
  const size = about?.size === undefined ? '' : `, ${formatBytes(about.size)}`;
  const when = about?.changedAt === undefined ? '' : `, last changed ${formatDate(new Date(about.changedAt))}`;
  return [
    ...(name === undefined ? [] : [element('span', { class: 'kept-name' }, name)]),
    element('span', { class: 'mono' }, did),
    ...(about?.handle === undefined ? [] : [element('span', {}, `@${about.handle}`)]),
    ...(about === undefined
      ? []
      : [element('span', { class: 'quiet' }, `${countOf(about.records, 'record')}${size}${when}`)]),
  ];
};

const repoItem = (did: string): HTMLElement =>
  element(
    'li',
    {},
    element(
      'a',
      { class: 'kept', href: addressOf({ did }), 'data-internal': true },
      element('span', { class: 'kept-words' }, ...repoWords(did)),
      element('span', { 'aria-hidden': 'true' }, '\u203a'),
    ),
  );

export const homeView = (
  dids: readonly string[],
  { onFile, onFolder, onAccount, text, note }: HomeOptions,
): HTMLElement =>
  element(
    'main',
    { class: 'sheet home' },
    element('h1', {}, 'Repository viewer'),
    note,
    dids.length === 0
      ? element(
          'p',
          { class: 'lead' },
          'Read a whole AT Protocol account, every post, like and follow of it, right here. It stays in this browser: nothing of it is sent anywhere.',
        )
      : element(
          'section',
          {},
          element('h2', {}, 'In this browser'),
          element('ul', { class: 'kept-list' }, ...dids.map(repoItem)),
        ),
    element(
      'section',
      { class: 'bring' },
      element('h2', {}, dids.length === 0 ? 'Bring a repository' : 'Bring another'),
      accountField('account', { onOpen: onAccount, text }),
      element(
        'p',
        { class: 'quiet' },
        'The records come from the account’s host, and are verified with the key of its DID document before they are kept.',
      ),
      advancedHosts(),
      element(
        'p',
        { class: 'quiet apart' },
        'Drop a CAR file anywhere on this page, or choose one; every block in it is checked before it is kept. Or bring a folder with a pds.db, blobs included.',
      ),
      element('div', { class: 'actions' }, fileButton('Choose a CAR file', onFile), chooseFolder(onFolder)),
    ),
    element(
      'details',
      {},
      element('summary', {}, 'Where do I get a CAR file?'),
      element(
        'p',
        {},
        'Most clients offer it in the account settings as \u201cExport my data\u201d. On the command line, ',
        element('code', {}, 'goat repo export <handle>'),
        ' saves one for any public account.',
      ),
    ),
  );
