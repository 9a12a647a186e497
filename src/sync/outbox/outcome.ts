/** What the result of a write request says about its effect. */
import { isRepoError } from '../../core/errors.ts';
import { XrpcError } from '../http/xrpc-error.ts';

/**
 * - `blobs`: no effect; the host lacks a blob.
 * - `landed`: the host made a commit. Without `rev` it made none, because it has the value already.
 * - `moved`: no effect; the record or the repository changed at the host.
 * - `rejected`: no effect; the same request will fail again.
 * - `stopped`: no effect; the next requests will fail too, until something changes.
 * - `unknown`: the request may have had its effect.
 */
export type Outcome =
  | { readonly kind: 'landed'; readonly commit: { readonly cid: string; readonly rev: string } | undefined }
  | { readonly kind: 'blobs' | 'moved' | 'rejected' | 'unknown'; readonly error: unknown }
  | {
      readonly kind: 'stopped';
      readonly status: 'inactive' | 'rateLimited' | 'waitingForSession';
      readonly error: unknown;
      readonly resetAt?: number | undefined;
    };

/** Statuses below 500 with which a server or a proxy reports that it gave up. */
const GAVE_UP: readonly number[] = [408, 425, 499];

/** Returns what the error of a write request says. */
export const outcomeOf = (error: unknown): Outcome => {
  if (!(error instanceof XrpcError) || GAVE_UP.includes(error.status)) {
    // A session that cannot sign in rejects before it sends the request.
    return isRepoError(error, 'AuthenticationRequired')
      ? { kind: 'stopped', status: 'waitingForSession', error }
      : { kind: 'unknown', error };
  }
  switch (error.code) {
    case 'AuthenticationRequired':
      return { kind: 'stopped', status: 'waitingForSession', error };
    case 'RateLimitExceeded':
      return { kind: 'stopped', status: 'rateLimited', error, resetAt: error.resetAt };
    case 'RepoDeactivated':
    case 'RepoNotFound':
    case 'RepoSuspended':
    case 'RepoTakendown':
      return { kind: 'stopped', status: 'inactive', error };
    case 'InvalidSwap':
      return { kind: 'moved', error };
    case 'BlobNotFound':
      return { kind: 'blobs', error };
    case 'HostFailed':
    case 'HostUnreachable':
      return { kind: 'unknown', error };
    default:
      return error.status >= 500 ? { kind: 'unknown', error } : { kind: 'rejected', error };
  }
};

/** Returns what a response with status 200 says. */
export const landedBy = (response: unknown): Outcome => {
  const { commit } = (response ?? {}) as { commit?: { cid?: unknown; rev?: unknown } | null };
  return typeof commit?.cid === 'string' && typeof commit.rev === 'string'
    ? { kind: 'landed', commit: { cid: commit.cid, rev: commit.rev } }
    : { kind: 'landed', commit: undefined };
};
