/** The host of an account, and how it is called. */
import type { Repo } from '../../core/repo/repo.ts';
import { withRetries } from '../http/retry.ts';
import type { NetworkOptions } from '../http/safe-fetch.ts';
import type { Session } from '../http/xrpc.ts';
import { publicSession } from '../http/xrpc.ts';
import type { Account } from '../identity/account.ts';

export interface Host {
  readonly did: string;
  readonly session: Session;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds before a call that failed is repeated. */
  readonly retryMs?: number | undefined;
}

/** Returns the host of an account. It is called with the session of the options, or without one. */
export const hostAt = (
  { did }: Repo,
  { pds }: Pick<Account, 'pds'>,
  options: NetworkOptions & { readonly session?: Session | undefined },
): Host => ({
  did,
  session: options.session ?? publicSession(pds, options),
  signal: options.signal,
  retryMs: options.retryMs,
});

/** Repeats a call to a host, when it failed. */
export const retrying = <T>({ signal, retryMs }: Host, call: () => Promise<T>): Promise<T> =>
  withRetries(call, { signal, delayMs: retryMs });
