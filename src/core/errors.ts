/**
 * What went wrong, in words a program can switch on. Codes are API and do not change within a major
 * version; messages are for people and may. Where the AT Protocol lexicons name an error, that name is
 * the code, so that a server may pass `error.code` on as the XRPC error.
 */

/** Every code there is, in alphabetical order. */
export const REPO_ERROR_CODES = [
  'BlobNotFound',
  /** A block that the tree or a commit refers to is not there. */
  'BlockNotFound',
  'Closed',
  /** Bytes from our own storage break a rule that they kept when they were written. */
  'Corrupt',
  /** The commit's rev lies more than five minutes in the future. */
  'FutureRev',
  /** There is no commit yet. */
  'HeadNotFound',
  'InvalidCollection',
  'InvalidDid',
  /** The value is not one of the atproto data model, or its `$type` is not its collection. */
  'InvalidRecord',
  'InvalidRecordKey',
  /** A text that cannot be the name of a ref. */
  'InvalidRef',
  'InvalidSignature',
  /** The signer has another key than the one that signed the head. */
  'InvalidSigner',
  /** The head, or the record, is not the one that was expected; read again and retry. */
  'InvalidSwap',
  /** Input passes a named limit. */
  'LimitExceeded',
  /** Another process, tab or object owns the storage. */
  'Locked',
  /** Bytes from outside break a rule of their format. */
  'Malformed',
  /** The commit is older than the head, or another one with the same rev. */
  'OutdatedRev',
  /** The answer was lost on its way: the write may have happened. */
  'OutcomeUnknown',
  /** The repository was opened for reading, or is a CAR. */
  'ReadOnly',
  'RecordExists',
  'RecordNotFound',
  'RecordTooLarge',
  'RefNotFound',
  'RepoExists',
  'RepoNotFound',
  /** The head is signed, so a write has to be too. */
  'SignerRequired',
  'StorageFailed',
  'StorageFull',
  /** A key of a kind that atproto does not use, or a text that is no key. */
  'UnknownKey',
  /** A newer version of this library wrote the repository. */
  'UnknownVersion',
  /** The environment lacks something that is needed, which the message names. */
  'Unsupported',
  'WrongDid',
] as const;

export type RepoErrorCode = (typeof REPO_ERROR_CODES)[number];

/**
 * The one error that this library throws on purpose. Arguments of the wrong type throw `TypeError`
 * instead; an aborted `signal` throws the signal's reason.
 */
export class RepoError extends Error {
  override readonly name = 'RepoError';
  readonly code: RepoErrorCode;

  constructor(code: RepoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Tells a {@link RepoError} apart, also one that came from a second copy of this library. */
export const isRepoError = (value: unknown, code?: RepoErrorCode): value is RepoError =>
  // By its form: an error of another realm is not an instance of the `Error` here.
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  value.name === 'RepoError' &&
  'code' in value &&
  (code === undefined || value.code === code);
