/** `at://` URIs of accounts, collections and records. https://atproto.com/specs/at-uri-scheme */
import { isAtUriString } from '@atproto/syntax';
import { RepoError } from '../errors.ts';

/** 8 KB, the limit of https://atproto.com/specs/at-uri-scheme */
export const MAX_AT_URI_LENGTH = 8192;

const SCHEME = 'at://';
const MAX_SHOWN = 80;

/** The parts of an `at://` URI. */
export interface AtUri {
  /** The account: a DID or a handle. Handles are not resolved. */
  readonly authority: string;
  readonly collection?: string | undefined;
  readonly rkey?: string | undefined;
}

const malformed = (uri: string): RepoError =>
  new RepoError(
    'Malformed',
    `expected at://did/collection/rkey; uri=${uri.length > MAX_SHOWN ? `${uri.slice(0, MAX_SHOWN)}…` : uri}`,
  );

/**
 * Returns the parts of an `at://` URI: `at://did`, `at://did/collection` or `at://did/collection/rkey`.
 * @throws {RepoError} `Malformed` when the text is not such a URI, or has a query or a fragment.
 * @throws {TypeError} when the argument is not a string.
 * @example
 * ```ts
 * import { parseAtUri } from 'pdsdb';
 *
 * const { authority, collection, rkey } = parseAtUri('at://did:web:alice.example/app.bsky.feed.post/3l3qo2vutsw2b');
 * ```
 */
export const parseAtUri = (uri: string): AtUri => {
  if (typeof uri !== 'string') {
    throw new TypeError(`expected an AT URI as a string; type=${typeof uri}`);
  }
  // Checked before any pattern runs, so that a long text cannot take long.
  if (uri.length > MAX_AT_URI_LENGTH || /[?#]/.test(uri) || !isAtUriString(uri)) {
    throw malformed(uri);
  }
  const [authority, collection, rkey] = uri.slice(SCHEME.length).split('/');
  return { authority: authority!, collection, rkey };
};

/**
 * Returns the URI of an account, a collection or a record. {@link parseAtUri} of it returns the same parts.
 * @throws {RepoError} `Malformed` when a part is not valid, or a record key has no collection.
 */
export const formatAtUri = ({ authority, collection, rkey }: AtUri): string => {
  const parts = [authority, collection, rkey].filter((part) => part !== undefined);
  const uri = SCHEME + parts.join('/');
  const isWhole = collection !== undefined || rkey === undefined;
  if (!isWhole || parts.some((part) => typeof part !== 'string' || part.includes('/'))) {
    throw malformed(uri);
  }
  parseAtUri(uri);
  return uri;
};
