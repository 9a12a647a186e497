/**
 * Commits: what a signature is made over. https://atproto.com/specs/repository#commit-objects
 *
 * The key that signed is not part of a commit: it stands in the DID document, and changes over time.
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
import { isPlainMap } from '../data/plain-map.ts';
import type { Signer } from '../crypto/signer.ts';
import { assertDid } from '../syntax/identifiers.ts';
import type { Tid } from '../syntax/tid.ts';
import { isTid, ZERO_TID } from '../syntax/tid.ts';
import { isBytes } from '../data/platform-values.ts';

export interface Commit {
  readonly did: string;
  /** 3, or 2 in old repositories, which are read and not written. */
  readonly version: 2 | 3;
  /** The root of the tree. */
  readonly data: CID;
  /** {@link ZERO_TID} for a version 2 commit, which need not have one. */
  readonly rev: Tid;
  readonly prev: CID | null;
  /** 64 bytes. Only our own commits may lack it: those of a repository without a signer. */
  readonly sig?: Bytes | undefined;
}

/** A commit that was made here, as the block that it is. */
export interface CreatedCommit {
  readonly cid: CID;
  readonly bytes: Bytes;
  readonly commit: Commit;
}

const FIELDS: readonly string[] = ['data', 'did', 'prev', 'rev', 'sig', 'version'];

const malformed = (message: string, cause?: unknown): RepoError =>
  new RepoError('Malformed', `commit ${message}`, cause === undefined ? undefined : { cause });

const decodeMap = (bytes: Uint8Array): Readonly<Record<string, unknown>> => {
  let value: unknown;
  try {
    value = decodeCbor(bytes);
  } catch (error) {
    throw isRepoError(error) ? malformed('is not DAG-CBOR', error) : error;
  }
  if (typeof value !== 'object' || value === null || !isPlainMap(value)) {
    throw malformed('is not a map');
  }
  const extra = Object.keys(value).find((field) => !FIELDS.includes(field));
  if (extra !== undefined) {
    throw malformed(`has a field that commits do not have; field=${extra.slice(0, 80)}`);
  }
  return value;
};

const decodeDid = (value: unknown): string => {
  if (typeof value !== 'string') {
    throw malformed('has no did');
  }
  try {
    assertDid(value);
  } catch (error) {
    throw isRepoError(error) ? malformed('has a did that is none', error) : error;
  }
  return value;
};

const decodeLink = (value: unknown, field: string): CID => {
  const cid = asCid(value);
  if (cid?.code !== CODEC_DAG_CBOR) {
    throw malformed(`has no dag-cbor link as its ${field}`);
  }
  return cid;
};

const decodeRev = (value: unknown, version: 2 | 3): Tid => {
  if (value === undefined && version === 2) {
    return ZERO_TID;
  }
  if (typeof value !== 'string' || !isTid(value)) {
    throw malformed('has no TID as its rev');
  }
  return value;
};

const decodeSig = (value: unknown, version: 2 | 3): Bytes | undefined => {
  if (value === undefined && version === 3) {
    return undefined;
  }
  if (!isBytes(value) || value.length !== SIGNATURE_LENGTH) {
    throw malformed(`has no sig of ${SIGNATURE_LENGTH} bytes`);
  }
  return copyBytes(value);
};

/**
 * A commit from its block. Takes nothing but the one encoding of a commit of version 2 or 3; whether the signature is
 * right is for {@link verifyCommit}.
 * @throws {RepoError} `Malformed`
 */
export const decodeCommit = (bytes: Uint8Array): Commit => {
  const { data, did, prev, rev, sig, version } = decodeMap(bytes);
  if (version !== 2 && version !== 3) {
    throw malformed('is neither of version 2 nor of version 3');
  }
  const commit: Commit = {
    did: decodeDid(did),
    version,
    data: decodeLink(data, 'data'),
    rev: decodeRev(rev, version),
    // Present and null where there is none: bytes without it are other bytes, and the signature was made over these.
    prev: prev === null ? null : decodeLink(prev, 'prev'),
    sig: decodeSig(sig, version),
  };
  // One commit has one form. This also refuses a version 2 commit that writes out the rev that stands for none.
  if (!equalBytes(encodeCommit(commit), bytes)) {
    throw malformed('is not in its canonical form');
  }
  return commit;
};

/**
 * Returns the commit in the block of a CID. The hash of the block is for the caller to check.
 * @throws {RepoError} `Malformed` when the CID is raw, or the bytes are not a commit.
 */
export const decodeCommitBlock = (cid: CID, bytes: Uint8Array): Commit => {
  if (cid.code !== CODEC_DAG_CBOR) {
    throw malformed(`has a CID of raw bytes, and commits are dag-cbor; cid=${cidToText(cid)}`);
  }
  return decodeCommit(bytes);
};

/** The block of a commit: with `sig` as it is stored, without it what is signed. */
export const encodeCommit = ({ did, version, data, rev, prev, sig }: Commit): Bytes =>
  encodeCbor({ did, version, data, rev: version === 2 && rev === ZERO_TID ? undefined : rev, prev, sig });

const toCommit = (commit: Commit | Uint8Array): Commit => (isBytes(commit) ? decodeCommit(commit) : commit);

/**
 * What the signature of a commit is made over: the commit without it.
 * @throws {RepoError} `Malformed` when given bytes that are no commit.
 */
export const unsignedBytes = (commit: Commit | Uint8Array): Bytes =>
  encodeCommit({ ...toCommit(commit), sig: undefined });

/**
 * Whether a commit was signed by this key. A commit without a signature was not.
 *
 * False also for an honest commit from before the account's key changed.
 * @throws {RepoError} `UnknownKey` when `didKey` is no key of atproto; `Malformed` when given bytes that are no commit.
 */
export const verifyCommit = (
  commit: Commit | Uint8Array,
  didKey: string,
  verify: VerifySignature = verifySignature,
): boolean => {
  const whole = toCommit(commit);
  return whole.sig !== undefined && verify(didKey, unsignedBytes(whole), whole.sig);
};

/** A signature in the form of atproto. Whether it is of the signer's key is another matter. */
const signBytes = async (unsigned: Bytes, signer: Signer): Promise<Bytes> => {
  const sig = await signer.sign(unsigned);
  if (!isBytes(sig) || sig.length !== SIGNATURE_LENGTH) {
    throw new RepoError('InvalidSignature', `the signer did not answer ${SIGNATURE_LENGTH} bytes`);
  }
  // Both curves have an order just below 2^256, so that the top bit of s tells a high one. It is all that can be
  // said about a signature without its key, and it is what WebCrypto gets wrong every second time.
  if (sig[SIGNATURE_LENGTH / 2]! >= 0x80) {
    throw new RepoError('InvalidSignature', 'the signer answered a signature with a high s');
  }
  return copyBytes(sig);
};

/** @throws {RepoError} `InvalidSignature` unless the signature is of the signer's key, as far as that is known. */
const assertSignedBy = async (signer: Signer, unsigned: Bytes, sig: Bytes, verify: VerifySignature): Promise<void> => {
  const didKey = signer.did?.();
  if (didKey === undefined) {
    return;
  }
  const isRight =
    verify.aside === undefined ? verify(didKey, unsigned, sig) : await verify.aside(didKey, unsigned, sig);
  if (!isRight) {
    throw new RepoError('InvalidSignature', `the signer answered a signature that is not of its key; key=${didKey}`);
  }
};

/** A commit whose signature is being checked. */
export interface BegunCommit {
  readonly commit: CreatedCommit;
  /**
   * Rejects as {@link createCommit} does when the signature is not of the signer's key. To be awaited before anybody
   * sees the commit.
   */
  readonly checked: Promise<void>;
}

/** {@link createCommit} for who has other work to do while the signature is checked. */
export const beginCommit = async (
  { did, data, rev }: Pick<Commit, 'did' | 'data' | 'rev'>,
  signer?: Signer,
  verify: VerifySignature = verifySignature,
): Promise<BegunCommit> => {
  assertDid(did);
  const unsigned = encodeCommit({ did, version: 3, data, rev, prev: null });
  // Read back before anybody signs it: what nobody could read is not made.
  const commit = decodeCommit(unsigned);
  if (signer === undefined) {
    return { commit: { cid: cidOf(CODEC_DAG_CBOR, unsigned), bytes: unsigned, commit }, checked: Promise.resolve() };
  }
  const sig = await signBytes(unsigned, signer);
  const checked = assertSignedBy(signer, unsigned, sig, verify);
  // Whoever fails before he awaits it has an error of his own.
  checked.catch(() => undefined);
  const signed: Commit = { ...commit, sig };
  const bytes = encodeCommit(signed);
  return { commit: { cid: cidOf(CODEC_DAG_CBOR, bytes), bytes, commit: signed }, checked };
};

/**
 * A commit of version 3 over a tree, signed when there is a signer. Nothing is kept anywhere.
 * @throws {RepoError} `InvalidDid`; `Malformed` when `data` is no dag-cbor CID or `rev` no TID; `InvalidSignature` when
 *   the signer's answer is not 64 bytes with a low s, or not of its `did()`; `UnknownKey` when that is no key of
 *   atproto. An error of the signer comes out as it was.
 */
export const createCommit = async (
  fields: Pick<Commit, 'did' | 'data' | 'rev'>,
  signer?: Signer,
  verify: VerifySignature = verifySignature,
): Promise<CreatedCommit> => {
  const { commit, checked } = await beginCommit(fields, signer, verify);
  await checked;
  return commit;
};
