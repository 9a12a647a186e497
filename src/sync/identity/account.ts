/** The identity of an account: its DID, handle, host and key. https://atproto.com/guides/identity */
import type { DidDocument } from '@atcute/identity';
import { getAtprotoHandle, getPdsEndpoint, isAtprotoDid } from '@atcute/identity';
import type { Handle } from '@atcute/lexicons/syntax';
import { isHandle } from '@atcute/lexicons/syntax';
import { toDidKey } from '../../core/crypto/key-source.ts';
import { RepoError } from '../../core/errors.ts';
import { assertPublicUrl, parseUrl } from '../http/public-url.ts';
import type { IdentityOptions } from './identity-options.ts';
import { resolveDocument } from './resolve-document.ts';
import { resolveHandle } from './resolve-handle.ts';

/** An account, as its DID document describes it. It has no other form in JSON. */
export interface Account {
  readonly did: string;
  /** The handle that the document names, or `undefined` if it names none. */
  readonly handle: string | undefined;
  /** Whether the handle leads back to the DID. */
  readonly handleVerified: boolean;
  /** The origin of the account's host, such as `https://pds.example.com`. */
  readonly pds: string;
  /** The `did:key` that signs the account's commits. */
  readonly key: string;
  readonly doc: DidDocument;
  /** Milliseconds of Unix time. */
  readonly fetchedAt: number;
}

const MAX_SHOWN = 80;
/** The longest handle has 253 characters, the longest DID 2,048. */
const MAX_IDENTIFIER_LENGTH = 4096;

/** Returns the handle or DID in a handle, `@handle`, DID, `at://` URI or address of a profile at bsky.app. */
const authorityOf = (identifier: string): string => {
  const text = identifier.trim().slice(0, MAX_IDENTIFIER_LENGTH);
  const inUri = /^at:\/\/([^/?#]+)/.exec(text)?.[1];
  const inProfile = /^https:\/\/bsky\.app\/profile\/([^/?#]+)/.exec(text)?.[1];
  const name = inUri ?? inProfile ?? text.replace(/^@/, '');
  return name.startsWith('did:') ? name : name.toLowerCase();
};

/**
 * Returns the origin of the host that a document names, or of `pdsUrl`.
 * @throws {RepoError} `DidNotFound` when it names none; `UnsafeHost`.
 */
export const hostOf = (
  did: string,
  doc: DidDocument,
  options: Pick<IdentityOptions, 'allowPrivate' | 'pdsUrl'>,
): string => {
  const endpoint = options.pdsUrl ?? getPdsEndpoint(doc);
  if (endpoint === undefined) {
    throw new RepoError('DidNotFound', `the DID document names no PDS: its account has no host now; did=${did}`);
  }
  const url = parseUrl(endpoint);
  assertPublicUrl(url, options.allowPrivate);
  return url.origin;
};

/** Whether the handle of a document leads back to the DID. */
const leadsBack = async (handle: Handle, did: string, options: IdentityOptions): Promise<boolean> => {
  try {
    return (await resolveHandle(handle, options)) === did;
  } catch {
    options.signal?.throwIfAborted();
    return false;
  }
};

/**
 * Returns the account of a handle, a DID or an `at://` URI. Its DID document names the host and the key. A handle
 * counts only if the document names it too.
 *
 * Requests go to the PLC directory or the host of a did:web, and to what resolves the handle. Each has 10 s; responses
 * are limited to 64 kB. Redirects are not followed.
 *
 * @throws {RepoError} `HandleNotFound`, `InvalidDid`, `DidNotFound`, `DidDeactivated`; `UnknownKey` when the document
 *   has no key for commits; `UnsafeHost` when a host is not public; `HostUnreachable`, `HostFailed`.
 * @example
 * ```ts
 * import { resolveAccount } from 'pdsdb/sync';
 *
 * const { did, pds, key } = await resolveAccount('alice.example.com');
 * console.log(did, pds, key);
 * ```
 * @see https://atproto.com/specs/handle
 */
export const resolveAccount = async (identifier: string, options: IdentityOptions = {}): Promise<Account> => {
  if (typeof identifier !== 'string') {
    throw new TypeError(`expected a handle or a DID as a string; type=${typeof identifier}`);
  }
  const name = authorityOf(identifier);
  const isDid = name.startsWith('did:');
  if (isDid ? !isAtprotoDid(name) : !isHandle(name)) {
    const what = isDid
      ? 'not a DID of an account: use did:plc:… or did:web:…'
      : 'not a handle, such as alice.example.com';
    throw new RepoError(isDid ? 'InvalidDid' : 'HandleNotFound', `${what}; text=${name.slice(0, MAX_SHOWN)}`);
  }
  const did = isDid ? name : await resolveHandle(name as Handle, options);
  const doc = await resolveDocument(did, options);
  const handle = getAtprotoHandle(doc) ?? undefined;
  if (!isDid && handle !== name) {
    throw new RepoError(
      'HandleNotFound',
      `the account does not use this handle: use its DID; handle=${name} did=${did} its handle=${handle ?? 'none'}`,
    );
  }
  const pds = hostOf(did, doc, options);
  const key = toDidKey(doc, did);
  const handleVerified = handle !== undefined && (!isDid || (await leadsBack(handle, did, options)));
  return { did, handle, handleVerified, pds, key, doc, fetchedAt: Date.now() };
};
