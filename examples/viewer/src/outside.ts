/** Other sites that show what is not in this repository. The reader chooses one. Nothing is loaded before a click. */
import { didOf, parseUri } from './at-uri.ts';

export const SITES = ['bsky.app', 'pdsls.dev', 'none'] as const;
export type Site = (typeof SITES)[number];

const SITE = 'viewer.site';

export const chosenSite = (): Site => {
  const noted = localStorage.getItem(SITE);
  return SITES.find((site) => site === noted) ?? 'bsky.app';
};

export const chooseSite = (site: Site): void => localStorage.setItem(SITE, site);

/** What bsky.app calls the kinds of records that it has pages for. */
const BSKY_PAGES: Readonly<Record<string, string>> = {
  'app.bsky.feed.generator': 'feed',
  'app.bsky.feed.post': 'post',
  'app.bsky.graph.list': 'lists',
};

/**
 * The address on the chosen site of an account, or of a record of an `at://` URI; `undefined` when the site has no page
 * for it, or the text names neither. It begins with the site, whatever the text is.
 */
export const outsideAddress = (text: string): string | undefined => {
  const site = chosenSite();
  const uri = parseUri(text);
  const authority = uri?.authority ?? didOf(text);
  if (authority === undefined || site === 'none') {
    return undefined;
  }
  const { collection, rkey } = uri ?? {};
  if (site === 'pdsls.dev') {
    const path = [authority, collection, rkey].filter((part) => part !== undefined).map(encodeURIComponent);
    return `https://pdsls.dev/at://${path.join('/').replaceAll('%3A', ':')}`;
  }
  const page = collection === undefined ? undefined : BSKY_PAGES[collection];
  const profile = `https://bsky.app/profile/${encodeURIComponent(authority).replaceAll('%3A', ':')}`;
  if (collection === undefined || collection === 'app.bsky.actor.profile') {
    return profile;
  }
  return page === undefined || rkey === undefined ? undefined : `${profile}/${page}/${encodeURIComponent(rkey)}`;
};
