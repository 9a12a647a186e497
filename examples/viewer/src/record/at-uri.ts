/** Finds `at://` URIs and DIDs in the texts of records, which are untrusted. */
import { assertDid, parseAtUri } from 'pdsdb';
import type { AtUri } from 'pdsdb';

/** Returns the text, if it is a DID. */
export const didOf = (text: string): string | undefined => {
  try {
    assertDid(text);
    return text;
  } catch {
    return undefined;
  }
};

/** Parses an `at://` URI, or returns `undefined` for any other text. */
export const parseUri = (text: string): AtUri | undefined => {
  try {
    return parseAtUri(text);
  } catch {
    return undefined;
  }
};
