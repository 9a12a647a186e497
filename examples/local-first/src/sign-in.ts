/** Signing in to the account of the notes, by an app password. */
import { openOrCreateRepo, openRepo } from 'pdsdb/browser';
import type { PullProgress, Session } from 'pdsdb/sync';
import { clone, passwordSession, resolveAccount } from 'pdsdb/sync';
import { AccountNotebook } from './account-notebook.ts';
import type { KeptAccount } from './kept-account.ts';
import { forgetSessions, hasKeptSession, keepAccount, networkOf, sessionStore } from './kept-account.ts';
import { clientOf } from './oauth-client.ts';
import { worker } from './repo-worker.ts';

/** A session, and how it ends. */
export interface OpenSession {
  readonly call: Session;
  signOut(): Promise<void>;
}

export interface SignIn {
  /** A handle or a DID. */
  readonly identifier: string;
  readonly password: string;
  readonly pdsUrl: string | undefined;
  readonly plcUrl: string | undefined;
  /** Whether the tokens stay in this browser. The password never does. */
  readonly isKept: boolean;
}

/** Returns a session of an account. Nothing of it is stored unless `isKept`. */
const sessionOf = (account: KeptAccount, password: string, isKept: boolean) =>
  passwordSession({
    ...networkOf(account),
    service: account.service,
    identifier: account.did,
    password,
    ...(isKept ? { store: sessionStore } : {}),
  });

/** Signs in, and remembers the account. Rejects before anything is stored if the server does not accept it. */
export const signIn = async (
  given: SignIn,
): Promise<{ readonly account: KeptAccount; readonly session: OpenSession }> => {
  const { pdsUrl, plcUrl, isKept } = given;
  const { did, handle, pds } = await resolveAccount(given.identifier, networkOf(given));
  const account: KeptAccount = { did, handle, service: pds, pdsUrl, plcUrl, isOpen: true };
  // An earlier session must not be used instead of this password.
  forgetSessions();
  const call = sessionOf(account, given.password, isKept);
  await call.signIn();
  return { account, session: { call, signOut: () => call.signOut() } };
};

/** Returns the session that stays in this browser, if there is one. It needs no network. */
export const keptSession = async (account: KeptAccount): Promise<OpenSession | undefined> => {
  if (!hasKeptSession()) {
    return clientOf(location) && (await import('./oauth.ts')).keptOAuthSession(account);
  }
  const call = sessionOf(account, '', true);
  return { call, signOut: () => call.signOut() };
};

/**
 * Brings a copy of the account into this browser, or the rest of it after an interruption, and opens it. Notes have no
 * blobs, so the pictures and videos of the account stay at its server.
 */
export const cloneAccount = async (
  account: KeptAccount,
  onProgress: (progress: PullProgress) => void,
): Promise<AccountNotebook> => {
  const create = ({ did }: { readonly did: string }) => openOrCreateRepo(did, { did, worker });
  const { repo } = await clone(account.did, create, { ...networkOf(account), blobs: false, onProgress });
  keepAccount(account);
  return new AccountNotebook(repo);
};

/** Opens the copy of the account, which needs no network. */
export const openAccountNotebook = async ({ did }: KeptAccount): Promise<AccountNotebook> =>
  new AccountNotebook(await openRepo(did, { worker }));
