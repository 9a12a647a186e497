/** The tokens of a session at a host, and their text form for a store. */

/** Where a session keeps its tokens. The text is a secret: keep it out of logs, and readable by its owner only. */
export interface SessionStore {
  /** Returns the text that `set` got last, or `undefined`. */
  get(): Promise<string | undefined>;
  /** Keeps a text, or removes it with `undefined`. */
  set(text: string | undefined): Promise<void>;
}

/** A text from a host that may be a token: a header accepts no other characters. */
const TOKEN = /^[\x21-\x7e]{1,8192}$/;

export interface SessionTokens {
  readonly did: string;
  readonly accessJwt: string;
  readonly refreshJwt: string;
}

/** Whose tokens they are. Stored tokens of another account or service are not used. */
export interface SessionOwner {
  readonly origin: string;
  readonly identifier: string;
}

/** Returns the tokens of a response of `createSession` or `refreshSession`, or `undefined` if it has none. */
export const tokensOf = (value: unknown): SessionTokens | undefined => {
  const { did, accessJwt, refreshJwt } = (value ?? {}) as Record<string, unknown>;
  const isToken = (text: unknown): text is string => typeof text === 'string' && TOKEN.test(text);
  return isToken(did) && isToken(accessJwt) && isToken(refreshJwt) ? { did, accessJwt, refreshJwt } : undefined;
};

/** Returns the text form. It has no password. */
export const tokensToText = (tokens: SessionTokens, { origin, identifier }: SessionOwner): string =>
  JSON.stringify({ origin, identifier, ...tokens });

/** Returns the tokens of a stored text, or `undefined` if it has none for this owner. */
export const tokensFromText = (text: string | undefined, owner: SessionOwner): SessionTokens | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(text ?? 'null');
  } catch {
    // Another program may have written the text. The session signs in again.
    return undefined;
  }
  const { origin, identifier } = (value ?? {}) as Record<string, unknown>;
  return origin === owner.origin && identifier === owner.identifier ? tokensOf(value) : undefined;
};
