/**
 * Error codes. Codes are API and do not change within a major version. Messages are for people and may change. If the
 * AT Protocol lexicons name an error, the code is that name, so that a server can return `error.code` as the XRPC
 * error.
 */

/** All codes, in alphabetical order. */
export const REPO_ERROR_CODES = [
  /** The host needs a session, or the session has ended: sign in. */
  'AuthenticationRequired',
  'BlobNotFound',
  /** A block that the tree or a commit references is missing. */
  'BlockNotFound',
  'Closed',
  /** Stored bytes are damaged. */
  'Corrupt',
  'DidDeactivated',
  'DidNotFound',
  /** The commit's rev is more than five minutes in the future. */
  'FutureRev',
  'HandleNotFound',
  /** The repository has no commit yet. */
  'HeadNotFound',
  /** The host failed, or sent what the method does not return: try again later. */
  'HostFailed',
  /** The host refused the request: change it. */
  'HostRejected',
  /** No connection to the host, or no response in time. */
  'HostUnreachable',
  'InvalidCollection',
  'InvalidDid',
  /** The value breaks the atproto data model, or its `$type` is not its collection. */
  'InvalidRecord',
  'InvalidRecordKey',
  /** The name of a ref is not valid. */
  'InvalidRef',
  'InvalidSignature',
  /** The signer's key is not the key that signed the head. */
  'InvalidSigner',
  /** The head or the record is not the expected one: read it again and retry. */
  'InvalidSwap',
  /** Input exceeds a named limit. */
  'LimitExceeded',
  /** Another process, tab or object owns the storage. */
  'Locked',
  /** Input bytes break a rule of their format. */
  'Malformed',
  /** The commit is older than the head, or is a fork with the same rev. */
  'OutdatedRev',
  /** The result was lost: the write may have happened. */
  'OutcomeUnknown',
  'RateLimitExceeded',
  /** The repository was opened for reading, or is a CAR. */
  'ReadOnly',
  'RecordExists',
  'RecordNotFound',
  'RecordTooLarge',
  'RefNotFound',
  /** The account is deactivated at its host. */
  'RepoDeactivated',
  'RepoExists',
  'RepoNotFound',
  'RepoSuspended',
  'RepoTakendown',
  /** The head is signed, so a write needs a signer. */
  'SignerRequired',
  'StorageFailed',
  'StorageFull',
  /** The key is not valid, or of a kind that atproto does not use. */
  'UnknownKey',
  /** A newer version of this library wrote the repository, or its tables are not migrated. */
  'UnknownVersion',
  /** The environment lacks something that the message names. */
  'Unsupported',
  /** A URL or a redirect to a host that is not public. */
  'UnsafeHost',
  'WrongDid',
] as const;

export type RepoErrorCode = (typeof REPO_ERROR_CODES)[number];

/**
 * The error class of this library. Arguments of the wrong type throw `TypeError` instead. An aborted `signal` throws
 * the signal's reason.
 */
export class RepoError extends Error {
  override readonly name = 'RepoError';
  readonly code: RepoErrorCode;

  constructor(code: RepoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Returns whether a value is a {@link RepoError}, also of another copy of this library, and has the given code. */
export const isRepoError = (value: unknown, code?: RepoErrorCode): value is RepoError =>
  // By its fields, because an error of another realm is not an instance of this realm's `Error`.
  typeof value === 'object' &&
  value !== null &&
  'name' in value &&
  value.name === 'RepoError' &&
  'code' in value &&
  (code === undefined || value.code === code);
