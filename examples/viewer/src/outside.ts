/** Sites that show records of other repositories. The user chooses one. Nothing is loaded before a click. */
import { didOf, parseUri } from './record/at-uri.ts';

export const SITES = ['bsky.app', 'pdsls.dev', 'none'] as const;
export type Site = (typeof SITES)[number];

const SITE = 'viewer.site';

export const chosenSite = (): Site => {
  const noted = localStorage.getItem(SITE);
  return SITES.find((site) => site === noted) ?? 'bsky.app';
};

export const chooseSite = (site: Site): void => localStorage.setItem(SITE, site);

/** Collection -> path segment on bsky.app, for records with a page there. */
const BSKY_PAGES: Readonly<Record<string, string>> = {
  'app.bsky.feed.generator': 'feed',
  'app.bsky.feed.post': 'post',
  'app.bsky.graph.list': 'lists',
};

/**
 * Returns the address of an account or record on the chosen site, or `undefined` if the site has no page
 * for it, or the text is neither. It always begins with the address of the site.
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
