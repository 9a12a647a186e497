/** Checks of identifiers: DIDs, collections and record keys. */
import { isValidDid, isValidNsid, isValidRecordKey } from '@atproto/syntax';
import type { RepoErrorCode } from '../errors.ts';
import { RepoError } from '../errors.ts';

/** 2 KB, the limit of https://atproto.com/specs/did#at-protocol-did-identifier-syntax */
export const MAX_DID_LENGTH = 2048;
/** A domain name of 253 characters, a dot and a name of 63. https://atproto.com/specs/nsid */
export const MAX_COLLECTION_LENGTH = 317;
/** https://atproto.com/specs/record-key#record-key-syntax */
export const MAX_RECORD_KEY_LENGTH = 512;

/** Most characters of an untrusted text in a message. */
const MAX_SHOWN = 80;

const refused = (code: RepoErrorCode, what: string, text: string): RepoError =>
  new RepoError(code, `${what}; text=${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text}`);

const assertText = (text: unknown, name: string, limit: number, code: RepoErrorCode): void => {
  if (typeof text !== 'string') {
    throw new TypeError(`expected ${name} as a string; type=${typeof text}`);
  }
  // Checked before any pattern runs, so that a long text cannot take long.
  if (text.length > limit) {
    throw refused(code, `${name} has at most ${limit} characters; length=${text.length}`, text);
  }
};

/** @throws {RepoError} `InvalidDid` when the text is not a DID. */
export const assertDid = (text: string): void => {
  assertText(text, 'a DID', MAX_DID_LENGTH, 'InvalidDid');
  if (!isValidDid(text)) {
    throw refused('InvalidDid', 'not a DID, such as did:plc:…', text);
  }
};

/**
 * Accepts only the normalised form: the authority (all but the last part) in lower case. Other spellings name the same
 * collection. They are rejected, so that no record has two names.
 * https://atproto.com/specs/repository#repo-data-structure-v3
 * @throws {RepoError} `InvalidCollection` when the text is not a normalised NSID.
 */
export const assertCollection = (text: string): void => {
  assertText(text, 'a collection', MAX_COLLECTION_LENGTH, 'InvalidCollection');
  if (!isValidNsid(text)) {
    throw refused('InvalidCollection', 'not an NSID, such as com.example.note', text);
  }
  const authority = text.slice(0, text.lastIndexOf('.'));
  if (authority !== authority.toLowerCase()) {
    throw refused('InvalidCollection', 'write all but the last part of the NSID in lower case', text);
  }
};

/** @throws {RepoError} `InvalidRecordKey` when the text is not a record key. `.` and `..` are not valid. */
export const assertRecordKey = (text: string): void => {
  assertText(text, 'a record key', MAX_RECORD_KEY_LENGTH, 'InvalidRecordKey');
  if (!isValidRecordKey(text)) {
    throw refused('InvalidRecordKey', 'not a record key: use 1 to 512 of A-Z a-z 0-9 . - _ : ~', text);
  }
};

/** Returns the URI of a record. The caller has checked the parts. */
export const formatUri = (did: string, collection: string, rkey: string): string => `at://${did}/${collection}/${rkey}`;
