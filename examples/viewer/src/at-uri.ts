/** `at://` URIs and DIDs in the texts of records, which may hold anything. */
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

/** Returns what an `at://` URI names, or `undefined` for any other text. */
export const parseUri = (text: string): AtUri | undefined => {
  try {
    return parseAtUri(text);
  } catch {
    return undefined;
  }
};
