/**
 * Commit objects: encode, decode, sign and verify. https://atproto.com/specs/repository#commit-objects
 *
 * A commit does not contain its signing key. The key is in the account's DID document, and it can change.
 */
import type { Bytes } from '../data/bytes.ts';
import { copyBytes, equalBytes } from '../data/bytes.ts';
import { decodeCbor } from '../data/cbor-decode.ts';
import { encodeCbor } from '../data/cbor-encode.ts';
import type { CID } from '../data/cid.ts';
import { asCid, cidOf, cidToText, CODEC_DAG_CBOR } from '../data/cid.ts';
import { isRepoError, RepoError } from '../errors.ts';
import type { VerifySignature } from '../crypto/keys.ts';
import { SIGNATURE_LENGTH, verifySignature } from '../crypto/keys.ts';
import type { SignBytes } from '../crypto/signing-key.ts';
import { signBy } from '../crypto/signing-key.ts';
import { isPlainMap } from '../data/plain-map.ts';
import type { Signer } from '../crypto/signer.ts';
import { assertDid } from '../syntax/identifiers.ts';
import type { Tid } from '../syntax/tid.ts';
import { isTid, ZERO_TID } from '../syntax/tid.ts';
import { isBytes } from '../data/platform-values.ts';

export interface Commit {
  readonly did: string;
  /** 3. Old repositories have 2; such commits can be read, but not written. */
  readonly version: 2 | 3;
  /** The root of the record tree. */
  readonly data: CID;
  /** {@link ZERO_TID} for a version 2 commit without a rev. */
  readonly rev: Tid;
  readonly prev: CID | null;
  /** 64 bytes. Absent only in commits that a repository without a signer made. */
  readonly sig?: Bytes | undefined;
}

/** A new commit and its block. */
export interface CreatedCommit {
  readonly cid: CID;
  readonly bytes: Bytes;
  readonly commit: Commit;
}

const FIELDS: readonly string[] = ['data', 'did', 'prev', 'rev', 'sig', 'version'];

/** @param found The value that caused the error, as `name=value`. */
const malformed = (fault: string, found?: string, cause?: unknown): RepoError =>
  new RepoError(
    'Malformed',
    `commit ${fault}: pass the block of a commit, or get the CAR again${found === undefined ? '' : `; ${found}`}`,
    cause === undefined ? undefined : { cause },
  );

const decodeMap = (bytes: Uint8Array): Readonly<Record<string, unknown>> => {
  let value: unknown;
  try {
    value = decodeCbor(bytes);
  } catch (error) {
    throw isRepoError(error) ? malformed('is not DAG-CBOR', `length=${bytes.length}`, error) : error;
  }
  if (typeof value !== 'object' || value === null || !isPlainMap(value)) {
    throw malformed('is not a map', `type=${Array.isArray(value) ? 'array' : typeof value}`);
  }
  const extra = Object.keys(value).find((field) => !FIELDS.includes(field));
  if (extra !== undefined) {
    throw malformed('has an unknown field', `field=${extra.slice(0, 80)}`);
  }
  return value;
};

const decodeDid = (value: unknown): string => {
  if (typeof value !== 'string') {
    throw malformed('has no text as its did', `type=${typeof value}`);
  }
  try {
    assertDid(value);
  } catch (error) {
    throw isRepoError(error) ? malformed('has an invalid did', `did=${value.slice(0, 80)}`, error) : error;
  }
  return value;
};

const decodeLink = (value: unknown, field: string): CID => {
  const cid = asCid(value);
  if (cid?.code !== CODEC_DAG_CBOR) {
    throw malformed(
      `has no dag-cbor link as its ${field}`,
      cid === undefined ? `type=${typeof value}` : `cid=${cidToText(cid)}`,
    );
  }
  return cid;
};

const decodeRev = (value: unknown, version: 2 | 3): Tid => {
  if (value === undefined && version === 2) {
    return ZERO_TID;
  }
  if (typeof value !== 'string' || !isTid(value)) {
    throw malformed('has no TID as its rev', `rev=${String(value).slice(0, 80)}`);
  }
  return value;
};

const decodeSig = (value: unknown, version: 2 | 3): Bytes | undefined => {
  if (value === undefined && version === 3) {
    return undefined;
  }
  if (!isBytes(value) || value.length !== SIGNATURE_LENGTH) {
    throw malformed(
      `has no sig of ${SIGNATURE_LENGTH} bytes`,
      isBytes(value) ? `length=${value.length}` : `type=${typeof value}`,
    );
  }
  return copyBytes(value);
};

/**
 * Decodes the block of a commit of version 2 or 3. Accepts only its canonical encoding. Does not check the signature:
 * see {@link verifyCommit}.
 * @throws {RepoError} `Malformed` when the bytes are not a commit.
 */
export const decodeCommit = (bytes: Uint8Array): Commit => {
  const { data, did, prev, rev, sig, version } = decodeMap(bytes);
  if (version !== 2 && version !== 3) {
    throw malformed('has an unsupported version, expected 2 or 3', `version=${String(version).slice(0, 80)}`);
  }
  const commit: Commit = {
    did: decodeDid(did),
    version,
    data: decodeLink(data, 'data'),
    rev: decodeRev(rev, version),
    // `prev: null` stays in the encoding, because the signature covers it.
    prev: prev === null ? null : decodeLink(prev, 'prev'),
    sig: decodeSig(sig, version),
  };
  // This also refuses a version 2 commit that contains ZERO_TID as its rev.
  if (!equalBytes(encodeCommit(commit), bytes)) {
    throw malformed('is not in its canonical form', `rev=${commit.rev}`);
  }
  return commit;
};

/**
 * Decodes the block with this CID. The caller checks the hash of the block.
 * @throws {RepoError} `Malformed` when the CID is raw, or the bytes are not a commit.
 */
export const decodeCommitBlock = (cid: CID, bytes: Uint8Array): Commit => {
  if (cid.code !== CODEC_DAG_CBOR) {
    throw malformed('has a CID of raw bytes, expected dag-cbor', `cid=${cidToText(cid)}`);
  }
  return decodeCommit(bytes);
};

/** Encodes a commit: the stored block, or the signed bytes if `sig` is absent. */
export const encodeCommit = ({ did, version, data, rev, prev, sig }: Commit): Bytes =>
  encodeCbor({ did, version, data, rev: version === 2 && rev === ZERO_TID ? undefined : rev, prev, sig });

const toCommit = (commit: Commit | Uint8Array): Commit => (isBytes(commit) ? decodeCommit(commit) : commit);

/**
 * Returns the bytes that the signature covers: the commit without `sig`.
 * @throws {RepoError} `Malformed` when the given bytes are not a commit.
 */
export const unsignedBytes = (commit: Commit | Uint8Array): Bytes =>
  encodeCommit({ ...toCommit(commit), sig: undefined });

/**
 * Returns whether this key signed the commit. Returns `false` for an unsigned commit.
 *
 * Also returns `false` for a valid commit that was signed before the account's key changed.
 * @throws {RepoError} `UnknownKey` when `didKey` is not a supported key; `Malformed` when the given bytes are not a
 *   commit.
 */
export const verifyCommit = (
  commit: Commit | Uint8Array,
  didKey: string,
  verify: VerifySignature = verifySignature,
): boolean => {
  const whole = toCommit(commit);
  return whole.sig !== undefined && verify(didKey, unsignedBytes(whole), whole.sig);
};

/** Returns a signature in the form of atproto. Does not check that the signer's key made it. */
const signatureBy = async (signer: Signer, unsigned: Bytes, signBytes: SignBytes | undefined): Promise<Bytes> => {
  const sig = await signBy(signer, unsigned, signBytes);
  if (!isBytes(sig) || sig.length !== SIGNATURE_LENGTH) {
    const found = isBytes(sig) ? `length=${sig.length}` : `type=${typeof sig}`;
    throw new RepoError(
      'InvalidSignature',
      `the signer returned no signature of ${SIGNATURE_LENGTH} bytes: return r and s as raw bytes, not DER; ${found}`,
    );
  }
  // Both curves have an order just below 2^256, so the top bit of s shows a high s. WebCrypto returns a high s in half
  // of its signatures. Nothing else can be checked without the key.
  if (sig[SIGNATURE_LENGTH / 2]! >= 0x80) {
    throw new RepoError(
      'InvalidSignature',
      `the signer returned a signature with a high s: replace s by the order of the curve minus s; s[0]=${sig[SIGNATURE_LENGTH / 2]}`,
    );
  }
  return copyBytes(sig);
};

/** @throws {RepoError} `InvalidSignature` when the signer names its key and the signature is not of that key. */
const assertSignedBy = (signer: Signer, unsigned: Bytes, sig: Bytes, verify: VerifySignature): void => {
  const didKey = signer.did?.();
  if (didKey !== undefined && !verify(didKey, unsigned, sig)) {
    throw new RepoError(
      'InvalidSignature',
      `the signature is not of the key that the signer's did() names: let sign() and did() use one key; key=${didKey}`,
    );
  }
};

/**
 * Returns a commit of version 3 over a tree, signed if a signer is given. Stores nothing.
 * @param signBytes Signs for keys of this library, where a platform is faster.
 * @throws {RepoError} `InvalidDid`; `Malformed` when `data` is not a dag-cbor CID or `rev` is not a TID;
 *   `InvalidSignature` when the signature is not 64 bytes with a low s, or not of the key in `did()`; `UnknownKey` when
 *   that key is not supported. Rejects with the signer's own error if the signer fails.
 */
export const createCommit = async (
  { did, data, rev }: Pick<Commit, 'did' | 'data' | 'rev'>,
  signer?: Signer,
  verify: VerifySignature = verifySignature,
  signBytes?: SignBytes,
): Promise<CreatedCommit> => {
  assertDid(did);
  const unsigned = encodeCommit({ did, version: 3, data, rev, prev: null });
  // Decoded before it is signed, so that no unreadable commit is made.
  const commit = decodeCommit(unsigned);
  if (signer === undefined) {
    return { cid: cidOf(CODEC_DAG_CBOR, unsigned), bytes: unsigned, commit };
  }
  const sig = await signatureBy(signer, unsigned, signBytes);
  assertSignedBy(signer, unsigned, sig, verify);
  const signed: Commit = { ...commit, sig };
  const bytes = encodeCommit(signed);
  return { cid: cidOf(CODEC_DAG_CBOR, bytes), bytes, commit: signed };
};
