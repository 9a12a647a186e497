/** Input forms of an account's public key. */
import { RepoError } from '../errors.ts';
import { formatDidKey, parseDidKey, parseMultikey } from './keys.ts';

/** The fields of a verification method that are read. https://www.w3.org/TR/did-1.0/#verification-methods */
export interface VerificationMethod {
  readonly id?: unknown;
  readonly type?: unknown;
  readonly publicKeyMultibase?: unknown;
}

/** The fields of a DID document that are read. https://atproto.com/specs/did#did-documents */
export interface DidDocument {
  readonly id?: unknown;
  readonly verificationMethod?: unknown;
}

/**
 * An account's public key: a `did:key`, the `publicKeyMultibase` of a `Multikey`, a DID document, or the JSON of a DID
 * document. The key of a document is its first verification method whose id ends in `#atproto`.
 */
export type KeySource = string | DidDocument;

/** The most characters of a DID document. Real ones have a few thousand. */
export const MAX_DID_DOCUMENT_LENGTH: number = 256 * 1024;

const SIGNING_KEY = '#atproto';
const MAX_SHOWN = 80;

const EXPECTED =
  "expected the account's public key: a did:key, a publicKeyMultibase (z…), a DID document or the JSON of one";

const unknownKey = (message: string, cause?: unknown): RepoError =>
  new RepoError('UnknownKey', message, cause === undefined ? undefined : { cause });

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parseDocument = (json: string): DidDocument => {
  if (json.length > MAX_DID_DOCUMENT_LENGTH) {
    throw unknownKey(
      `A DID document has at most ${MAX_DID_DOCUMENT_LENGTH} characters; this text has ${json.length}. Pass the account's DID document.`,
    );
  }
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (cause) {
    throw unknownKey(
      `The key starts with { but is not valid JSON. Pass a did:key or the whole DID document; text=${shown(json)}`,
      cause,
    );
  }
  if (!isObject(document)) {
    throw unknownKey(`The JSON is not a DID document. Pass a did:key or the account's document; text=${shown(json)}`);
  }
  return document;
};

/** Returns a value from a document as text for a message. */
const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : String(JSON.stringify(value));
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
};

const keyOfDocument = (document: DidDocument, did: string | undefined): string => {
  const { id, verificationMethod } = document;
  if (did !== undefined && id !== did) {
    throw unknownKey(
      `The DID document is of another account. Pass the document of this account; expected=${did} id=${shown(id)}`,
    );
  }
  const methods: readonly unknown[] = Array.isArray(verificationMethod) ? verificationMethod : [];
  const method = methods
    .filter(isObject)
    .find(
      ({ id: name }) => typeof name === 'string' && (name === SIGNING_KEY || name === `${String(id)}${SIGNING_KEY}`),
    );
  if (method === undefined) {
    throw unknownKey(`The DID document has no verification method ${SIGNING_KEY}. Pass a did:key; id=${shown(id)}`);
  }
  const { type, publicKeyMultibase } = method;
  if (typeof type !== 'string' || typeof publicKeyMultibase !== 'string') {
    throw unknownKey(
      `The signing key of the DID document has no type or publicKeyMultibase. Pass a did:key; id=${shown(id)} type=${shown(type)}`,
    );
  }
  const { curve, publicKey } = parseMultikey(publicKeyMultibase, type);
  return formatDidKey(curve, publicKey);
};

const keyOfText = (text: string): string => {
  if (text.startsWith('did:') && !text.startsWith('did:key:')) {
    throw unknownKey(`${EXPECTED}. This is the DID of an account: pass its DID document; text=${shown(text)}`);
  }
  try {
    const { curve, publicKey } = text.startsWith('z') ? parseMultikey(text) : parseDidKey(text);
    return formatDidKey(curve, publicKey);
  } catch (cause) {
    throw unknownKey(`${EXPECTED}; ${(cause as Error).message}`, cause);
  }
};

/**
 * Returns the `did:key` of a public key in any form of {@link KeySource}.
 *
 * @param did The account of a DID document. Default: any.
 * @throws {RepoError} `UnknownKey` when the key is malformed, of a curve that the AT Protocol does not use, or not in
 *   the document; when the document belongs to another account.
 * @throws {TypeError} when the source is neither a string nor an object.
 * @example
 * ```ts
 * import { toDidKey } from 'pdsdb';
 *
 * const document = await (await fetch('https://plc.directory/did:plc:ewvi7nxzyoun6zhxrhs64oiz')).json();
 * console.log(toDidKey(document));
 * ```
 */
export const toDidKey = (source: KeySource, did?: string): string => {
  if (isObject(source)) {
    return keyOfDocument(source, did);
  }
  if (typeof source !== 'string') {
    throw new TypeError(`${EXPECTED}; got ${source === null ? 'null' : typeof source}`);
  }
  const text = source.trim();
  return text.startsWith('{') ? keyOfDocument(parseDocument(text), did) : keyOfText(text);
};
