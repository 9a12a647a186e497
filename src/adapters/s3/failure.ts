/** Failed requests to an S3 server, as errors that say what to check. */
import type { RepoErrorCode } from '../../core/errors.ts';
import { RepoError } from '../../core/errors.ts';
import { errorCode, errorName, isError } from '../../core/data/platform-values.ts';

/** The error of a request. */
export class S3Failure extends RepoError {
  /** The HTTP status. Absent without a response. */
  readonly status: number | undefined;
  /** The error code of the server. Absent without one. */
  readonly s3Code: string | undefined;
  /** Whether the same request may succeed later. */
  readonly isTransient: boolean;

  constructor(
    code: RepoErrorCode,
    message: string,
    about: {
      readonly status?: number | undefined;
      readonly s3Code?: string | undefined;
      readonly isTransient: boolean;
      readonly cause?: unknown;
    },
  ) {
    super(code, message, 'cause' in about ? { cause: about.cause } : undefined);
    this.status = about.status;
    this.s3Code = about.s3Code;
    this.isTransient = about.isTransient;
  }
}

export const isS3Failure = (error: unknown): error is S3Failure => error instanceof S3Failure;

/** What to do about an error code of S3. */
const ADVICE: Readonly<Record<string, string>> = {
  AccessDenied: 'check that the policies of the key and the bucket permit the request',
  AuthorizationHeaderMalformed: 'check the region',
  EntityTooSmall: 'raise partSize, because the server needs larger parts',
  ExpiredToken: 'open the blobs again with new temporary keys',
  InvalidAccessKeyId: 'check accessKeyId',
  InvalidToken: 'check sessionToken',
  NoSuchBucket: 'create the bucket, or check its name and the endpoint',
  PermanentRedirect: 'check the endpoint and the region of the bucket',
  RequestExpired: 'set the clock of this machine',
  RequestTimeTooSkewed: 'set the clock of this machine, because it differs too much from the clock of the server',
  SignatureDoesNotMatch: 'check secretAccessKey, and that no proxy changes the host or the path of a request',
  TemporaryRedirect: 'check the endpoint and the region of the bucket',
};

/** Codes after which the same request may succeed. The last two mean that the bytes were damaged on their way. */
const TRANSIENT: readonly unknown[] = [
  'IncompleteBody',
  'InternalError',
  'OperationAborted',
  'RequestTimeout',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
];

const FULL: readonly unknown[] = ['QuotaExceeded', 'XMinioStorageFull'];

const isTransientStatus = (status: number): boolean => [408, 429, 500, 502, 503, 504].includes(status);

/** The code is the server's text, so only its usual form is printed. */
const printable = (s3Code: string | undefined): string | undefined =>
  s3Code !== undefined && /^[A-Za-z0-9_.-]{1,64}$/.test(s3Code) ? s3Code : undefined;

const adviceOf = (status: number, s3Code: string | undefined, isTransient: boolean): string => {
  const known = s3Code === undefined ? undefined : ADVICE[s3Code];
  if (known !== undefined) {
    return known;
  }
  if (isTransient) {
    return 'the server failed or has too many requests, so try again later';
  }
  if (status === 403) {
    return `${ADVICE['AccessDenied']}, and check the keys`;
  }
  // A browser shows a redirect with the status 0.
  return status === 0 || (status >= 300 && status < 400)
    ? 'the server redirects, so check the endpoint and the region'
    : 'check the endpoint and the keys';
};

/** Returns the failure of a response. `doing` completes the sentence "… failed". */
export const responseFailure = (doing: string, status: number, given: string | undefined): S3Failure => {
  const s3Code = printable(given);
  const isTransient = TRANSIENT.includes(s3Code) || isTransientStatus(status);
  const found = `status=${status}${s3Code === undefined ? '' : ` code=${s3Code}`}`;
  const about = { status, s3Code, isTransient };
  return status === 507 || FULL.includes(s3Code)
    ? new S3Failure('StorageFull', `${doing} failed: no space is left in the bucket. Free some; ${found}`, about)
    : new S3Failure('StorageFailed', `${doing} failed: ${adviceOf(status, s3Code, isTransient)}; ${found}`, about);
};

/** Returns the failure of a connection. Platforms report the reason in different ways. */
export const connectionFailure = (doing: string, cause: unknown): S3Failure => {
  const inner = isError(cause) ? (cause.cause ?? cause) : cause;
  const reason = errorCode(inner) ?? errorName(inner);
  return new S3Failure(
    'StorageFailed',
    `${doing} failed: check the connection and the endpoint${reason === undefined ? '' : `; code=${reason}`}`,
    { isTransient: true, cause },
  );
};

/** Returns the failure of a request without a response in time. */
export const timeoutFailure = (doing: string, timeoutMs: number): S3Failure =>
  new S3Failure(
    'StorageFailed',
    `${doing} failed: no response in time. Check the connection, or raise timeoutMs; timeoutMs=${timeoutMs}`,
    { isTransient: true },
  );

/** Returns the failure of a response that is not what S3 sends. */
export const invalidFailure = (doing: string, what: string, isTransient = false): S3Failure =>
  new S3Failure('StorageFailed', `${doing} failed: ${what}`, { isTransient });

/** Returns the failure of a body that ended early. */
export const truncatedFailure = (doing: string): S3Failure =>
  new S3Failure('StorageFailed', `${doing} failed: the response ended early. Check the connection`, {
    isTransient: true,
  });
