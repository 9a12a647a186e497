/** Errors of accounts and hosts in plain words: what happened, and what to do about it. */
import { isRepoError } from 'pdsdb';
import type { RepoErrorCode } from 'pdsdb';
import { plainNote } from './error-note.ts';
import type { PlainError } from './plain-words.ts';
import { inPlainWords } from './plain-words.ts';

const LATER = 'Nothing was changed. Try again later.';

/** Replaces texts of `inPlainWords` that are about a file, a sign-in, or this browser. */
const WORDS: Readonly<Partial<Record<RepoErrorCode, readonly [what: string, advice: string]>>> = {
  AuthenticationRequired: ['The server asks for a sign-in.', 'The account cannot be read without one.'],
  BlobNotFound: [
    'The server does not have this file.',
    'It may have deleted it. Records can mention files that are missing.',
  ],
  BlockNotFound: ['The server sent an incomplete repository.', LATER],
  FutureRev: ['The time of the newest commit is ahead of this device’s clock.', 'Set the clock and try again.'],
  HostRejected: ['The server refused the request.', 'Check that its address is that of a PDS.'],
  InvalidDid: ['That is not a DID of an account.', 'Use did:plc:… or did:web:…, or a handle.'],
  InvalidSignature: [
    'The signature is not by the key of the DID document.',
    'Nothing was stored. The server may have sent changed data, or not have signed with a new key yet. Try again later.',
  ],
  LimitExceeded: [
    'The server sent more data than this page accepts.',
    'Nothing was changed. The message below names the limit.',
  ],
  Malformed: ['The server sent data that is not valid.', LATER],
  RepoNotFound: ['The server does not have this account.', 'It may have moved. Try again later.'],
  UnknownKey: ['The DID document has no key for commits.', 'The account cannot be verified, so nothing is stored.'],
  UnsafeHost: [
    'The address is not that of a public server.',
    'This page contacts a server in a local network only if you enter its address under “Advanced”.',
  ],
  WrongDid: ['The server sent another account.', LATER],
};

/** Returns the text for users about an error of the network, or of the storage. */
export const networkWords = (error: unknown): PlainError => {
  const { detail, ...plain } = inPlainWords(error);
  const words = isRepoError(error) ? WORDS[error.code] : undefined;
  return words === undefined ? { ...plain, detail } : { what: words[0], advice: words[1], detail };
};

export const networkNote = (error: unknown, ...actions: readonly HTMLElement[]): HTMLElement =>
  plainNote(networkWords(error), ...actions);
