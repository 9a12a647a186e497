/** Errors of XRPC methods. https://atproto.com/specs/xrpc#error-responses */
import type { RepoErrorCode } from '../../core/errors.ts';
import { RepoError } from '../../core/errors.ts';
import { readBody } from './limited-body.ts';

/** Most bytes of the body of an error, after decompression. */
export const MAX_ERROR_BODY: number = 64 * 1024;
const MAX_SHOWN = 300;

/** A host's error response. */
export class XrpcError extends RepoError {
  /** The HTTP status. */
  readonly status: number;
  /** The name of the error, such as `InvalidSwap`. Empty if the body has none. */
  readonly error: string;
  /** When a rate limit ends, in milliseconds of Unix time. */
  readonly resetAt: number | undefined;

  constructor(code: RepoErrorCode, message: string, response: Pick<XrpcError, 'status' | 'error' | 'resetAt'>) {
    super(code, message);
    this.status = response.status;
    this.error = response.error;
    this.resetAt = response.resetAt;
  }
}

/** Names of errors that are codes of this library, or that mean the same as one. */
const NAMED: Readonly<Record<string, RepoErrorCode>> = {
  RepoNotFound: 'RepoNotFound',
  RepoDeactivated: 'RepoDeactivated',
  AccountDeactivated: 'RepoDeactivated',
  RepoSuspended: 'RepoSuspended',
  RepoTakendown: 'RepoTakendown',
  AccountTakedown: 'RepoTakendown',
  RecordNotFound: 'RecordNotFound',
  BlobNotFound: 'BlobNotFound',
  BlockNotFound: 'BlockNotFound',
  HeadNotFound: 'HeadNotFound',
  HandleNotFound: 'HandleNotFound',
  InvalidSwap: 'InvalidSwap',
  RateLimitExceeded: 'RateLimitExceeded',
  AuthMissing: 'AuthenticationRequired',
  AuthenticationRequired: 'AuthenticationRequired',
  ExpiredToken: 'AuthenticationRequired',
  InvalidToken: 'AuthenticationRequired',
};

/** The reference PDS has no name for these errors. */
const UNNAMED: readonly (readonly [RegExp, RepoErrorCode])[] = [
  [/^Could not find repo/i, 'RepoNotFound'],
  [/^Could not find root/i, 'RepoNotFound'],
  [/^Blob not found/i, 'BlobNotFound'],
  [/^Could not find cids/i, 'BlockNotFound'],
  [/^Could not find user/i, 'RepoNotFound'],
];

const codeOf = (status: number, error: string, message: string): RepoErrorCode => {
  const named = Object.hasOwn(NAMED, error) ? NAMED[error] : undefined;
  const code = named ?? UNNAMED.find(([pattern]) => pattern.test(message))?.[1];
  if (code !== undefined) {
    return code;
  }
  if (status === 429) {
    return 'RateLimitExceeded';
  }
  if (status === 401 || status === 403) {
    return 'AuthenticationRequired';
  }
  return status >= 400 && status < 500 ? 'HostRejected' : 'HostFailed';
};

const ADVICE: Partial<Record<RepoErrorCode, string>> = {
  AuthenticationRequired: 'sign in to the host',
  HostFailed: 'try again later',
  RateLimitExceeded: 'wait until the rate limit ends',
  RepoDeactivated: 'the account is deactivated: its owner can reactivate it at the host',
  RepoSuspended: 'the host has suspended the account',
  RepoTakendown: 'the host has taken the account down',
  RepoNotFound: 'look up the host of the account again',
};

/** Returns the name and the message in the body of an error. Both are empty if it has none. */
export const parseErrorBody = (body: Uint8Array): { readonly error: string; readonly message: string } => {
  try {
    const value = JSON.parse(new TextDecoder().decode(body)) as { error?: unknown; message?: unknown } | null;
    const text = (field: unknown): string => (typeof field === 'string' ? field.slice(0, MAX_SHOWN) : '');
    return { error: text(value?.error), message: text(value?.message) };
  } catch {
    return { error: '', message: '' };
  }
};

/** Milliseconds of Unix time at which a host accepts requests again. */
const resetOf = (headers: Headers): number | undefined => {
  const reset = Number(headers.get('ratelimit-reset') ?? Number.NaN);
  if (Number.isFinite(reset) && reset > 0) {
    // Unix seconds in the reference PDS; seconds from now in the IETF draft.
    return reset > 1e9 ? reset * 1000 : Date.now() + reset * 1000;
  }
  const after = headers.get('retry-after');
  const seconds = Number(after ?? Number.NaN);
  const date = after === null ? Number.NaN : Date.parse(after);
  return Number.isFinite(seconds) ? Date.now() + seconds * 1000 : Number.isFinite(date) ? date : undefined;
};

/** Returns the error of a response that is not ok. Reads its body. */
export const xrpcErrorOf = async (nsid: string, response: Response): Promise<XrpcError> => {
  const body = await readBody(response, MAX_ERROR_BODY).catch(() => new Uint8Array());
  const { error, message } = parseErrorBody(body);
  const { status } = response;
  const code = codeOf(status, error, message);
  const advice = ADVICE[code];
  const said = [error, message].filter((text) => text !== '').join(': ');
  return new XrpcError(
    code,
    `${nsid} failed${said === '' ? '' : ` with ${said}`}${advice === undefined ? '' : `: ${advice}`}; status=${status}`,
    { status, error, resetAt: resetOf(response.headers) },
  );
};
