/** Errors in plain words: what happened, and what to do about it. */
import { isRepoError } from 'pdsdb';
import type { RepoErrorCode } from 'pdsdb';

export interface PlainError {
  readonly what: string;
  readonly advice: string;
  /** The message of the error itself, for a developer. */
  readonly detail: string;
}

const WORDS: Readonly<Partial<Record<RepoErrorCode, readonly [what: string, advice: string]>>> = {
  BlockNotFound: [
    'The file is not whole: some of its blocks are missing.',
    'Download the repository again. A file with only the newest changes needs the repository that it continues.',
  ],
  Closed: ['The repository was closed.', 'Reload the page to open it again.'],
  Corrupt: [
    'What is stored here is damaged.',
    'Export what can still be read, delete the repository here, and import a fresh file.',
  ],
  FutureRev: [
    'The file was made in the future, says this device’s clock.',
    'Set the clock of this device and try again.',
  ],
  InvalidDid: ['The file does not say whose repository it is.', 'Download it again from the account’s server.'],
  InvalidRecord: ['The value is no record.', 'Correct what the message names.'],
  InvalidSignature: [
    'The signature is not the account’s.',
    'The account may have changed its key. If it has not, do not trust this file.',
  ],
  InvalidSigner: [
    'The account’s last change was signed with another key.',
    'The account may have changed its key: import its newest file, and sign with the key of now.',
  ],
  InvalidSwap: ['Somebody else changed this meanwhile.', 'Look at what it says now, and try again.'],
  LimitExceeded: ['The file holds something larger than any server makes.', 'Check where it comes from.'],
  Locked: ['The repository is busy in another tab.', 'Close the other tab, or wait a moment and try again.'],
  Malformed: [
    'This is not a repository, or it is damaged.',
    'Choose a CAR file as an AT Protocol server exports it. If this is one, download it again.',
  ],
  OutcomeUnknown: ['The answer was lost on its way.', 'Look whether the change is there before you try again.'],
  OutdatedRev: [
    'The file is older than what is kept here.',
    'Nothing was changed. Delete the repository here first if you want to go back.',
  ],
  RecordExists: ['The record is there already.', 'Look at what it says now, and try again.'],
  RecordNotFound: ['The record is gone.', 'Somebody deleted it meanwhile.'],
  RepoExists: ['This repository is kept here already.', 'Open it, or delete it before you import the folder.'],
  RepoNotFound: [
    'There is no such repository in this browser.',
    'It may have been deleted, or the browser cleared its storage. Import its file again.',
  ],
  SignerRequired: [
    'The repository is signed with a key that is not here.',
    'It can be read and exported, not changed.',
  ],
  StorageFailed: [
    'The browser could not read or write its storage.',
    'Reload the page. In a private window, try an ordinary one.',
  ],
  StorageFull: [
    'There is no room left.',
    'Nothing was changed. Free some disk space, or delete a repository that is kept here.',
  ],
  UnknownVersion: ['A newer version of this page wrote the repository.', 'Reload the page to get that version.'],
  Unsupported: ['This page or this browser lacks a part that is needed.', 'Reload the page, or try another browser.'],
  WrongDid: ['The file is of another account.', 'Import it into a repository of its own.'],
};

const detailOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Returns the text for users about an error. */
export const inPlainWords = (error: unknown): PlainError => {
  const words = isRepoError(error) ? WORDS[error.code] : undefined;
  const [what, advice] = words ?? [
    'Something went wrong.',
    'Reload the page and try again. If it stays, report the message below.',
  ];
  return { what, advice, detail: isRepoError(error) ? `${error.code}: ${error.message}` : detailOf(error) };
};

/** Whether the user has aborted the work. */
export const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';
