/// <reference types="vite/client" />
/** The OAuth client that this page is. https://atproto.com/specs/oauth#clients */

/** All that the notes need is to write records. No server has a smaller scope for all collections yet. */
export const SCOPE = 'atproto transition:generic';

export interface OAuthClient {
  readonly client_id: string;
  readonly redirect_uri: string;
}

/**
 * Returns the client, or `undefined` where OAuth does not work. A published page has the address of its build in
 * `VITE_NOTES_URL`, and its metadata beside it. On a loopback address, servers know every client.
 */
export const clientOf = ({ origin, hostname, pathname, port }: Location): OAuthClient | undefined => {
  const published = import.meta.env['VITE_NOTES_URL'] as string | undefined;
  if (published?.startsWith(`${origin}/`) === true) {
    return { client_id: new URL('oauth-client-metadata.json', published).href, redirect_uri: published };
  }
  // The specification allows no `localhost` here.
  if (hostname !== '127.0.0.1') {
    return undefined;
  }
  const redirect_uri = `http://127.0.0.1:${port}${pathname}`;
  const query = new URLSearchParams({ redirect_uri, scope: SCOPE });
  return { client_id: `http://localhost?${query.toString()}`, redirect_uri };
};

/** Returns what the server has sent back with the user, and removes it from the address, or returns `undefined`. */
export const takeReturn = (): URLSearchParams | undefined => {
  const params = new URLSearchParams(location.hash.slice(1));
  if (!params.has('state') || !(params.has('code') || params.has('error'))) {
    return undefined;
  }
  history.replaceState(null, '', location.pathname + location.search);
  return params;
};
