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
  AuthenticationRequired: [
    'The server does not accept the sign-in.',
    'Check the account and its app password, and sign in again.',
  ],
  BlockNotFound: [
    'The file is incomplete: blocks are missing.',
    'Download the repository again. A file with only the newest changes needs the repository that it continues.',
  ],
  Closed: ['The repository was closed.', 'Reload the page to open it again.'],
  Corrupt: [
    'The stored repository is damaged.',
    'Export what can still be read, delete the repository here, and import a fresh file.',
  ],
  DidDeactivated: ['The account was deleted.', 'What is stored in this browser stays as it is.'],
  DidNotFound: ['No account has this DID.', 'Check the spelling.'],
  FutureRev: ['The time in the file is ahead of this device’s clock.', 'Set the clock of this device and try again.'],
  HandleNotFound: ['No account has this handle.', 'Check the spelling, or enter the DID of the account.'],
  HostFailed: ['The server did not work as expected.', 'Try again later. Nothing was lost.'],
  HostRejected: ['The server refused the request.', 'Read the message below.'],
  HostUnreachable: ['There is no connection to the server.', 'Check the network, and try again. Nothing was lost.'],
  InvalidDid: ['The file does not name its account.', 'Download it again from the account’s server.'],
  InvalidRecord: ['The value is not a valid record.', 'Correct the field in the message below.'],
  InvalidSignature: [
    'The signature does not match the account’s key.',
    'The account may have changed its key. If it has not, do not trust this file.',
  ],
  InvalidSigner: [
    'The account’s last change was signed with another key.',
    'The account may have changed its key: import its newest file, and sign with its present key.',
  ],
  InvalidSwap: ['Another tab has changed this meanwhile.', 'Check the present text, and try again.'],
  LimitExceeded: ['The file exceeds a limit.', 'Check the source of the file.'],
  Locked: ['The repository is busy in another tab.', 'Close the other tab, or wait a moment and try again.'],
  Malformed: [
    'This is not a repository, or it is damaged.',
    'Choose a CAR file that an AT Protocol server exported. If this is one, download it again.',
  ],
  OutcomeUnknown: ['The result of the call was lost.', 'Check whether the change was made before you try again.'],
  OutdatedRev: [
    'The file is older than the stored repository.',
    'Nothing was changed. Delete the repository here first if you want to go back.',
  ],
  RateLimitExceeded: ['The server limits the number of requests.', 'Wait some minutes, and try again.'],
  RecordExists: ['The record already exists.', 'Check its present text, and try again.'],
  RecordNotFound: ['The record is missing.', 'It was deleted meanwhile. Reload the page.'],
  RepoDeactivated: ['The account is deactivated at its server.', 'Its owner can activate it again.'],
  RepoExists: ['This repository is already stored here.', 'Open it, or delete it before you import the folder.'],
  RepoNotFound: [
    'There is no such repository in this browser.',
    'It may have been deleted, or the browser cleared its storage. Import its file again.',
  ],
  RepoSuspended: ['The server has suspended the account.', 'What is stored in this browser stays as it is.'],
  RepoTakendown: ['The server has taken the account down.', 'What is stored in this browser stays as it is.'],
  SignerRequired: ['The key that signed the repository is missing here.', 'It can be read and exported, not changed.'],
  StorageFailed: [
    'The browser could not read or write its storage.',
    'Reload the page. In a private window, try an ordinary one.',
  ],
  StorageFull: ['The storage is full.', 'Nothing was changed. Free some disk space, or delete a repository here.'],
  UnknownVersion: ['A newer version of this page wrote the repository.', 'Reload the page to get that version.'],
  Unsupported: ['This page or this browser lacks a required feature.', 'Reload the page, or try another browser.'],
  UnsafeHost: [
    'The address is not that of a public server.',
    'Use an address with https. For a server of your own, enter its address in the form.',
  ],
  WrongDid: ['The file belongs to another account.', 'Import it into a separate repository.'],
};

const detailOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Returns the text for users about an error. */
export const inPlainWords = (error: unknown): PlainError => {
  const words = isRepoError(error) ? WORDS[error.code] : undefined;
  const [what, advice] = words ?? [
    'An unexpected error occurred.',
    'Reload the page and try again. If it stays, report the message below.',
  ];
  return { what, advice, detail: isRepoError(error) ? `${error.code}: ${error.message}` : detailOf(error) };
};

/** Whether the user has aborted the work. */
export const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';
