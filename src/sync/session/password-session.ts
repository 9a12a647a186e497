/** Sessions by a password: `com.atproto.server.createSession` and `refreshSession`. */
import { isReadableStream } from '../../core/data/platform-values.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { readBody } from '../http/limited-body.ts';
import { parseUrl } from '../http/public-url.ts';
import { createSafeFetch } from '../http/safe-fetch.ts';
import type { NetworkOptions } from '../http/safe-fetch.ts';
import type { Session } from '../http/xrpc.ts';
import { callXrpc } from '../http/xrpc.ts';
import { MAX_ERROR_BODY, parseErrorBody } from '../http/xrpc-error.ts';
import type { SessionOwner, SessionStore, SessionTokens } from './session-tokens.ts';
import { tokensFromText, tokensOf, tokensToText } from './session-tokens.ts';

/** Milliseconds until a host must have received a body of bytes, such as a blob, and responded. */
export const UPLOAD_TIMEOUT = 600_000;

/** Most renewals of the tokens for one call. */
const MAX_RENEWALS = 2;

export interface PasswordSessionOptions extends NetworkOptions {
  /** The address of the account's host, such as `https://pds.example.com`. */
  readonly service: string;
  /** The handle, the DID or the email address of the account. */
  readonly identifier: string;
  /** An app password. It is sent to `createSession` only, and is never stored. */
  readonly password: string;
  /** Keeps the tokens between runs. Default: they are in memory only. */
  readonly store?: SessionStore | undefined;
}

/** A {@link Session} that signs in by a password. */
export interface PasswordSession extends Session {
  /** The DID of the account, or `undefined` before the first sign-in. */
  readonly did: string | undefined;
  /** Signs in if no tokens are known, and returns the DID of the account. */
  signIn(): Promise<string>;
  /**
   * Ends the session at the host, and removes the tokens from the store, also if the host cannot be reached. Later
   * calls reject with `AuthenticationRequired`.
   */
  signOut(): Promise<void>;
}

/** Returns whether a response says that the access token is over, and the response with its body unread. */
const checkExpired = async (response: Response): Promise<{ response: Response; isExpired: boolean }> => {
  // The reference PDS sends these errors with status 400.
  if (response.status !== 400 && response.status !== 401) {
    return { response, isExpired: false };
  }
  const { status, statusText, headers } = response;
  const body = await readBody(response, MAX_ERROR_BODY);
  const { error } = parseErrorBody(body);
  const unread = new Response(body, { status, statusText, headers });
  return { response: unread, isExpired: error === 'ExpiredToken' || error === 'InvalidToken' };
};

/** Returns whether a refresh token is over: the host understood the call, and did not accept the token. */
const isRefused = (error: unknown): boolean =>
  isRepoError(error, 'AuthenticationRequired') || isRepoError(error, 'HostRejected');

class Tokens {
  readonly #owner: SessionOwner;
  readonly #password: string;
  readonly #store: SessionStore | undefined;
  readonly #service: Session;
  readonly #signal: AbortSignal | undefined;
  #current: SessionTokens | undefined;
  #isOver = false;
  #renewal: Promise<SessionTokens> | undefined;

  constructor(service: Session, owner: SessionOwner, { password, store, signal }: PasswordSessionOptions) {
    this.#service = service;
    this.#owner = owner;
    this.#password = password;
    this.#store = store;
    this.#signal = signal;
  }

  get did(): string | undefined {
    return this.#current?.did;
  }

  /**
   * Returns tokens other than the expired ones. Concurrent calls share one request.
   * @param expired The tokens that the host refused.
   */
  async get(expired?: SessionTokens): Promise<SessionTokens> {
    if (this.#isOver) {
      throw new RepoError('AuthenticationRequired', 'the session was signed out: make another one');
    }
    if (this.#current !== undefined && this.#current !== expired) {
      return this.#current;
    }
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#renewal?.catch(() => undefined);
    const tokens = this.#current ?? (await this.#stored());
    this.#current = undefined;
    await this.#store?.set(undefined);
    if (tokens !== undefined) {
      // The tokens are removed here in any case, and end by themselves at the host.
      await this.#call('com.atproto.server.deleteSession', tokens.refreshJwt).catch(() => undefined);
    }
  }

  async #renew(): Promise<SessionTokens> {
    // Another tab or process may have refreshed them.
    const stored = await this.#stored();
    if (stored !== undefined && stored.accessJwt !== this.#current?.accessJwt) {
      this.#current = stored;
      return stored;
    }
    const tokens = (await this.#refresh()) ?? (await this.#create());
    this.#current = tokens;
    await this.#store?.set(tokensToText(tokens, this.#owner));
    return tokens;
  }

  async #stored(): Promise<SessionTokens | undefined> {
    return tokensFromText(await this.#store?.get(), this.#owner);
  }

  /** Returns new tokens, or `undefined` if there is no refresh token, or it is over. */
  async #refresh(): Promise<SessionTokens | undefined> {
    if (this.#current === undefined) {
      return undefined;
    }
    try {
      return this.#checked(await this.#call('com.atproto.server.refreshSession', this.#current.refreshJwt));
    } catch (error) {
      if (isRefused(error)) {
        return undefined;
      }
      throw error;
    }
  }

  async #create(): Promise<SessionTokens> {
    const { identifier } = this.#owner;
    const input = { identifier, password: this.#password };
    const nsid = 'com.atproto.server.createSession';
    const call = callXrpc(this.#service, nsid, { input, signal: this.#signal });
    return this.#checked(
      await call.catch((cause: unknown) => {
        // A caller must not take it for the refusal of its own request.
        throw isRepoError(cause, 'HostRejected')
          ? new RepoError('AuthenticationRequired', cause.message, { cause })
          : cause;
      }),
    );
  }

  #call(nsid: string, token: string): Promise<unknown> {
    const headers = { authorization: `Bearer ${token}` };
    return callXrpc(this.#service, nsid, { headers, isProcedure: true, signal: this.#signal });
  }

  #checked(value: unknown): SessionTokens {
    const tokens = tokensOf(value);
    if (tokens === undefined) {
      throw new RepoError(
        'HostFailed',
        `the host returned no session: check that its address is that of a PDS; service=${this.#owner.origin}`,
      );
    }
    return tokens;
  }
}

/**
 * Returns a session of an account at its host. The first call signs in. An expired token is refreshed once for all
 * concurrent calls; when the refresh token is over too, the session signs in again. Requests with a stream as their
 * body are not repeated.
 *
 * It sends requests to the origin of `service` only, and follows no redirect. Calls reject with
 * `AuthenticationRequired` when the host does not accept the password, with `UnsafeHost` for a redirect or another
 * origin, and with `HostUnreachable`.
 *
 * @throws {RepoError} `UnsafeHost` when `service` is not the address of a public host.
 * @example
 * ```ts
 * import { passwordSession } from 'pdsdb/sync';
 *
 * const session = passwordSession({
 *   service: 'https://pds.example.com',
 *   identifier: 'alice.example.com',
 *   password: 'an-app-password',
 * });
 * console.log(await session.signIn());
 * ```
 */
export const passwordSession = (options: PasswordSessionOptions): PasswordSession => {
  const { service, identifier } = options;
  const { origin } = parseUrl(service);
  const { signal, ...network } = options;
  const request = createSafeFetch(network);
  const upload = createSafeFetch({ ...network, timeoutMs: Math.max(network.timeoutMs ?? 0, UPLOAD_TIMEOUT) });
  const send: Session = (pathname, init) => {
    const url = parseUrl(pathname, parseUrl(origin));
    if (url.origin !== origin || !url.pathname.startsWith('/xrpc/')) {
      throw new RepoError(
        'UnsafeHost',
        `a session sends XRPC requests to its own host only; url=${url.href.slice(0, 200)}`,
      );
    }
    const isText = init.body === undefined || init.body === null || typeof init.body === 'string';
    const signals = [signal, init.signal].filter((given) => given !== undefined && given !== null);
    const either = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    return (isText ? request : upload)(url, { ...init, signal: either ?? null });
  };
  const tokens = new Tokens(async (pathname, init) => send(pathname, init), { origin, identifier }, options);
  const sendAs = async (pathname: string, init: RequestInit, { accessJwt }: SessionTokens): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${accessJwt}`);
    return send(pathname, { ...init, headers });
  };
  const call: Session = async (pathname, init) => {
    let expired: SessionTokens | undefined;
    // The first renewal may find stored tokens that are expired too.
    for (let renewals = 0; ; renewals++) {
      const current = await tokens.get(expired);
      const { response, isExpired } = await checkExpired(await sendAs(pathname, init, current));
      if (!isExpired || renewals >= MAX_RENEWALS || isReadableStream(init.body)) {
        return response;
      }
      expired = current;
    }
  };
  const session = Object.assign(call, {
    signIn: async () => (await tokens.get()).did,
    signOut: () => tokens.end(),
  });
  return Object.defineProperty(session, 'did', { get: () => tokens.did, enumerable: true }) as PasswordSession;
};
