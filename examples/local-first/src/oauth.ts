/// <reference types="vite/client" />
/** Signing in at the account's server, by OAuth. The page never sees a password. https://atproto.com/specs/oauth */
import type { ConfigureOAuthOptions, Session as OAuthSession } from '@atcute/oauth-browser-client';
import {
  configureOAuth,
  createAuthorizationUrl,
  finalizeAuthorization,
  getSession,
  OAuthUserAgent,
} from '@atcute/oauth-browser-client';
import { RepoError } from 'pdsdb';
import { resolveAccount } from 'pdsdb/sync';
import type { KeptAccount } from './kept-account.ts';
import { forgetSessions, networkOf, OAUTH_SESSIONS, OAUTH_STORAGE } from './kept-account.ts';
import { clientOf, SCOPE } from './oauth-client.ts';
import type { OpenSession, SignIn } from './sign-in.ts';

type Addresses = Pick<SignIn, 'pdsUrl' | 'plcUrl'>;

/** What comes back from the server with the user. */
interface Begun extends Addresses {
  readonly isKept: boolean;
}

const configure = (addresses: Addresses): void => {
  const resolve = async (identifier: string) => {
    const { did, handle, pds } = await resolveAccount(identifier, networkOf(addresses));
    return { did, handle: handle ?? 'handle.invalid', pds };
  };
  const client = clientOf(location);
  if (client === undefined) {
    throw new RepoError('Unsupported', 'this page has no OAuth client: use an app password');
  }
  configureOAuth({
    metadata: client,
    identityResolver: { resolve } as ConfigureOAuthOptions['identityResolver'],
    storageName: OAUTH_STORAGE,
  });
};

const openSession = (session: OAuthSession, isKept: boolean): OpenSession => {
  const agent = new OAuthUserAgent(session);
  /** The library stores tokens each time it gets new ones. It also has those of this page in memory. */
  const unlessKept = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } finally {
      if (!isKept) {
        forgetSessions();
      }
    }
  };
  return {
    call: (pathname, init) => unlessKept(() => agent.handle(pathname, init)),
    signOut: async () => {
      // Without a network, the tokens are removed here, and end by themselves at the server.
      await agent.signOut().catch(() => undefined);
      forgetSessions();
    },
  };
};

/**
 * Goes to the account's server, where the user signs in. For the way back, the library stores a key and a state in
 * `localStorage`, for at most ten minutes.
 */
export const goToServer = async (given: Omit<SignIn, 'password'>): Promise<void> => {
  const { identifier, pdsUrl, plcUrl, isKept } = given;
  configure(given);
  const { did } = await resolveAccount(identifier, networkOf(given));
  const state: Begun = { pdsUrl, plcUrl, isKept };
  const target = { type: 'account', identifier: did as `did:plc:${string}` } as const;
  location.assign(await createAuthorizationUrl({ target, scope: SCOPE, state }));
};

/** Returns the account and its session after the way back. */
export const comeBack = async (
  params: URLSearchParams,
): Promise<{ readonly account: KeptAccount; readonly session: OpenSession }> => {
  // The addresses are in the state, which the library returns only with the session.
  const stored = JSON.parse(localStorage.getItem(`${OAUTH_STORAGE}:states`) ?? '{}') as Readonly<
    Record<string, { readonly value: { readonly state: Begun } } | undefined>
  >;
  const begun = stored[params.get('state') ?? '']?.value.state;
  if (begun === undefined) {
    throw new RepoError('AuthenticationRequired', 'the sign-in was begun too long ago, or elsewhere: begin it again');
  }
  const { pdsUrl, plcUrl, isKept } = begun;
  configure(begun);
  const { session } = await finalizeAuthorization(params).catch((cause: Error) => {
    throw new RepoError('AuthenticationRequired', `the server did not sign the user in: ${cause.message}`, { cause });
  });
  if (!isKept) {
    forgetSessions();
  }
  const { did, handle, pds } = await resolveAccount(session.info.sub, networkOf(begun));
  const account: KeptAccount = { did, handle, service: pds, pdsUrl, plcUrl, isOpen: true };
  return { account, session: openSession(session, isKept) };
};

/** Returns the session that stays in this browser, or `undefined`. It needs no network. */
export const keptOAuthSession = async (account: KeptAccount): Promise<OpenSession | undefined> => {
  const stored = localStorage.getItem(OAUTH_SESSIONS);
  if (stored === null || !stored.includes(account.did)) {
    return undefined;
  }
  configure(account);
  return openSession(await getSession(account.did as `did:plc:${string}`, { allowStale: true }), true);
};
