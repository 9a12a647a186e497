/** The identifiers of the API, checked where they come in, and put together into a URI. */
import { isValidDid, isValidNsid, isValidRecordKey } from '@atproto/syntax';
import type { RepoErrorCode } from '../errors.ts';
import { RepoError } from '../errors.ts';

/** https://atproto.com/specs/did#at-protocol-did-identifier-syntax has 2 KB. */
export const MAX_DID_LENGTH = 2048;
/** A domain name of 253 characters, a dot and a name of 63. https://atproto.com/specs/nsid */
export const MAX_COLLECTION_LENGTH = 317;
/** https://atproto.com/specs/record-key#record-key-syntax */
export const MAX_RECORD_KEY_LENGTH = 512;

/** A message shows this many characters of a text from outside. */
const MAX_SHOWN = 80;

const refused = (code: RepoErrorCode, what: string, text: string): RepoError =>
  new RepoError(code, `${what}; text=${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text}`);

const assertText = (text: unknown, name: string, limit: number, code: RepoErrorCode): void => {
  if (typeof text !== 'string') {
    throw new TypeError(`${name} is a string`);
  }
  // Before any pattern sees it: the time that a refusal takes is not for the caller to choose.
  if (text.length > limit) {
    throw refused(code, `${name} has at most ${limit} characters, and this one ${text.length}`, text);
  }
};

/** @throws {RepoError} `InvalidDid` unless the text is a DID. */
export const assertDid = (text: string): void => {
  assertText(text, 'a DID', MAX_DID_LENGTH, 'InvalidDid');
  if (!isValidDid(text)) {
    throw refused('InvalidDid', 'not a DID', text);
  }
};

/**
 * Only the normalised form is a path in a repository: the authority (all but the last part) in lower case. Its other
 * spellings name the same collection, and are refused rather than rewritten, so that no record has two names here.
 * https://atproto.com/specs/repository#repo-data-structure-v3
 * @throws {RepoError} `InvalidCollection` unless the text is a normalised NSID.
 */
export const assertCollection = (text: string): void => {
  assertText(text, 'a collection', MAX_COLLECTION_LENGTH, 'InvalidCollection');
  if (!isValidNsid(text)) {
    throw refused('InvalidCollection', 'not an NSID', text);
  }
  const authority = text.slice(0, text.lastIndexOf('.'));
  if (authority !== authority.toLowerCase()) {
    throw refused('InvalidCollection', 'an NSID whose authority is not in lower case', text);
  }
};

/** @throws {RepoError} `InvalidRecordKey` unless the text is a record key; `.` and `..` are none. */
export const assertRecordKey = (text: string): void => {
  assertText(text, 'a record key', MAX_RECORD_KEY_LENGTH, 'InvalidRecordKey');
  if (!isValidRecordKey(text)) {
    throw refused('InvalidRecordKey', 'not a record key', text);
  }
};

/** The URI of a record. Its parts have been checked. */
export const formatUri = (did: string, collection: string, rkey: string): string => `at://${did}/${collection}/${rkey}`;
