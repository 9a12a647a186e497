/** Reads what users type or paste to name an account, or a record of it. */
import { parseUri } from '../record/at-uri.ts';

export interface AccountLink {
  /** A handle or a DID, which is not checked. */
  readonly name: string;
  readonly collection?: string | undefined;
  readonly rkey?: string | undefined;
}

/** Marks of text direction, which applications put around a copied handle. */
const MARKS = /[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
const BSKY_PAGE = /^https:\/\/bsky\.app\/profile\/(?<name>[^/?#]+)(?:\/(?<page>post|feed|lists)\/(?<rkey>[^/?#]+))?/;
const COLLECTIONS: Readonly<Record<string, string>> = {
  feed: 'app.bsky.feed.generator',
  lists: 'app.bsky.graph.list',
  post: 'app.bsky.feed.post',
};

/** Parses a handle, `@handle`, DID, `at://` URI, or the address of a page at bsky.app or pdsls.dev. */
export const readAccountLink = (text: string): AccountLink => {
  const link = text
    .replaceAll(MARKS, '')
    .trim()
    .replace(/^https:\/\/pdsls\.dev\/(?=at:)/, '');
  const uri = parseUri(link.replace(/\/$/, ''));
  if (uri !== undefined) {
    return { name: uri.authority, collection: uri.collection, rkey: uri.rkey };
  }
  const page = BSKY_PAGE.exec(link)?.groups;
  const collection = COLLECTIONS[page?.['page'] ?? ''];
  return page === undefined
    ? { name: link.replace(/^@/, '') }
    : { name: page['name'] ?? '', ...(collection === undefined ? {} : { collection, rkey: page['rkey'] }) };
};
