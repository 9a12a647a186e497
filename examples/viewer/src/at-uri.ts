/** `at://` URIs and DIDs in the texts of records. https://atproto.com/specs/at-uri-scheme */

const DID = /^did:[a-z]+:[A-Za-z0-9._:%-]{1,2000}$/;
const URI =
  /^at:\/\/(?<authority>did:[a-z]+:[A-Za-z0-9._:%-]{1,2000}|(?:[A-Za-z0-9-]{1,63}\.){1,10}[A-Za-z0-9-]{1,63})(?:\/(?<collection>[a-z][a-z0-9-]*(?:\.[A-Za-z0-9-]+){2,})(?:\/(?<rkey>[A-Za-z0-9._:~-]{1,512}))?)?$/;

export interface AtUri {
  /** A DID or a handle. */
  readonly authority: string;
  readonly collection?: string | undefined;
  readonly rkey?: string | undefined;
}

/** The text, if it is a DID. */
export const didOf = (text: string): string | undefined => (DID.test(text) ? text : undefined);

/** What an `at://` URI names, or `undefined` for any other text. */
export const parseUri = (text: string): AtUri | undefined => {
  const found = URI.exec(text)?.groups;
  return found?.['authority'] === undefined
    ? undefined
    : { authority: found['authority'], collection: found['collection'], rkey: found['rkey'] };
};
