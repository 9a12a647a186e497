/** The account whose copy this browser has, and where its session is kept if the user wants that. */
import type { SessionStore } from 'pdsdb/sync';

const ACCOUNT = 'notes.account';
const SESSION = 'notes.session';

export interface KeptAccount {
  readonly did: string;
  readonly handle: string | undefined;
  /** The address of the account's server. */
  readonly service: string;
  /** The addresses that the user has entered, for servers that the public network does not know. */
  readonly pdsUrl: string | undefined;
  readonly plcUrl: string | undefined;
  /** `false` after a sign-out that has kept the copy. The page then shows the notes of this browser. */
  readonly isOpen: boolean;
}

/** Returns the options of `pdsdb/sync` for an account. An address that the user has entered may be a private one. */
export const networkOf = ({
  pdsUrl,
  plcUrl,
}: Pick<KeptAccount, 'pdsUrl' | 'plcUrl'>): {
  readonly pdsUrl: string | undefined;
  readonly plcUrl: string | undefined;
  readonly allowPrivate: boolean;
} => ({ pdsUrl, plcUrl, allowPrivate: pdsUrl !== undefined });

export const nameOf = (account: Pick<KeptAccount, 'did' | 'handle'>): string => account.handle ?? account.did;

/** Returns the account of this browser, or `undefined`. */
export const keptAccount = (): KeptAccount | undefined => {
  const text = localStorage.getItem(ACCOUNT);
  return text === null ? undefined : (JSON.parse(text) as KeptAccount);
};

export const keepAccount = (account: KeptAccount | undefined): void => {
  if (account === undefined) {
    localStorage.removeItem(ACCOUNT);
  } else {
    localStorage.setItem(ACCOUNT, JSON.stringify(account));
  }
};

/** Calls `listener` when another tab signs in or out. Returns a function that removes it. */
export const onOtherAccount = (listener: () => void): (() => void) => {
  const check = ({ key }: StorageEvent): void => {
    if (key === ACCOUNT) {
      listener();
    }
  };
  addEventListener('storage', check);
  return () => removeEventListener('storage', check);
};

/** Where the tokens of a session stay after the page closes. Every script of this site can read them. */
export const sessionStore: SessionStore = {
  get: async () => localStorage.getItem(SESSION) ?? undefined,
  set: async (text) => {
    if (text === undefined) {
      localStorage.removeItem(SESSION);
    } else {
      localStorage.setItem(SESSION, text);
    }
  },
};

/** The name under which the OAuth library stores what it needs. */
export const OAUTH_STORAGE = 'notes.oauth';
export const OAUTH_SESSIONS: string = `${OAUTH_STORAGE}:sessions`;

/** Removes the tokens of all sessions from this browser. */
export const forgetSessions = (): void => {
  localStorage.removeItem(SESSION);
  localStorage.removeItem(OAUTH_SESSIONS);
};

export const hasKeptSession = (): boolean => localStorage.getItem(SESSION) !== null;
