/** The DID of a handle. https://atproto.com/specs/handle#handle-resolution */
import type { HandleResolver } from '@atcute/identity-resolver';
import {
  AmbiguousHandleError,
  DidNotFoundError,
  DohJsonHandleResolver,
  InvalidResolvedHandleError,
  WellKnownHandleResolver,
  XrpcHandleResolver,
} from '@atcute/identity-resolver';
import type { Handle } from '@atcute/lexicons/syntax';
import { RepoError } from '../../core/errors.ts';
import { createSafeFetch } from '../http/safe-fetch.ts';
import type { IdentityOptions } from './identity-options.ts';
import { repoErrorIn } from './resolve-document.ts';

const DOH_URL = 'https://cloudflare-dns.com/dns-query';

const isAbsent = (error: unknown): boolean =>
  error instanceof DidNotFoundError ||
  error instanceof InvalidResolvedHandleError ||
  error instanceof AmbiguousHandleError;

/**
 * Asks DNS and the handle's own host at the same time. If both fail, DNS decides: a handle without an account often has
 * no host, and a page may not be allowed to read from it.
 */
const raced = (dns: HandleResolver, http: HandleResolver): HandleResolver => ({
  async resolve(handle, options) {
    const end = new AbortController();
    const signal = options?.signal === undefined ? end.signal : AbortSignal.any([options.signal, end.signal]);
    const [byDns, byHttp] = [dns, http].map((one) => one.resolve(handle, { ...options, signal }));
    try {
      return await Promise.any([byDns!, byHttp!]);
    } catch (error) {
      const [first, second] = (error as AggregateError).errors as unknown[];
      throw isAbsent(first) ? first : second;
    } finally {
      end.abort();
    }
  },
});

const resolverOf = (options: IdentityOptions): HandleResolver => {
  const { pdsUrl, dohUrl = DOH_URL } = options;
  const safeFetch = createSafeFetch(options);
  // A host knows the handles below its own domains, which no public DNS has in a test network.
  return pdsUrl === undefined
    ? raced(new DohJsonHandleResolver({ dohUrl, fetch: safeFetch }), new WellKnownHandleResolver({ fetch: safeFetch }))
    : new XrpcHandleResolver({ serviceUrl: pdsUrl, fetch: safeFetch });
};

/**
 * Returns the DID that DNS or the handle's own host names. It is not checked against the document of the DID.
 * @throws {RepoError} as `resolveAccount`.
 */
export const resolveHandle = async (handle: Handle, options: IdentityOptions): Promise<string> => {
  const { signal } = options;
  try {
    return await resolverOf(options).resolve(handle, { ...(signal === undefined ? {} : { signal }), noCache: true });
  } catch (error) {
    signal?.throwIfAborted();
    const known = repoErrorIn(error);
    if (known !== undefined) {
      throw known;
    }
    throw isAbsent(error)
      ? new RepoError('HandleNotFound', `no account has this handle: check it, or use the DID; handle=${handle}`, {
          cause: error,
        })
      : new RepoError('HostFailed', `the handle could not be resolved: try again later; handle=${handle}`, {
          cause: error,
        });
  }
};
