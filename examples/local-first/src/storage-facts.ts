/** The storage of the notes, their size, and who can read them. */
import type { Repo } from 'pdsdb';
import { element } from '../../page/element.ts';
import { countOf, formatBytes } from '../../page/quantities.ts';

const STORAGES: Readonly<Record<string, string>> = { indexeddb: 'IndexedDB', opfs: 'Private file system (OPFS)' };

const fact = (name: string, value: string): HTMLElement =>
  element('div', {}, element('dt', {}, name), element('dd', {}, value));

const usedWords = async (): Promise<string> => {
  const { usage, quota } = await navigator.storage.estimate();
  if (usage === undefined) {
    return 'The browser does not say';
  }
  return quota === undefined ? formatBytes(usage) : `${formatBytes(usage)} of ${formatBytes(quota)}`;
};

/** Whether the page opens without a network. */
const offlineWords = (): string => (navigator.serviceWorker?.controller ? 'Ready' : 'After the next visit');

/** @param what What a record of the repository is called. */
export const storageFacts = async (repo: Repo, what: 'note' | 'record'): Promise<HTMLElement> => {
  const { storage, persistent, commits, records, did } = await repo.info();
  return element(
    'dl',
    { class: 'facts' },
    fact('Kept in', STORAGES[storage ?? ''] ?? 'Memory'),
    fact('Room used', await usedWords()),
    fact('Holds', `${countOf(records, what)}, ${countOf(commits, 'commit')}`),
    fact('Promised to stay', persistent === true ? 'Yes' : 'No: the browser may clear it when room gets short'),
    fact('Offline', offlineWords()),
    fact('Account', did),
  );
};
