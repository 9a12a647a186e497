/**
 * Content identifiers of the two kinds that atproto supports: version 1, dag-cbor or raw, SHA-256. The binary form
 * always has 36 bytes, the text form 59 characters. https://atproto.com/specs/data-model#link-and-cid-formats
 */
import { CID } from 'multiformats/cid';
import { Digest } from 'multiformats/hashes/digest';
import type { Bytes } from './bytes.ts';
import { equalBytes } from './bytes.ts';
import { RepoError } from '../errors.ts';
import { DIGEST_LENGTH, sha256 } from './sha256.ts';
import { isBytes } from './platform-values.ts';

export { CID };

/** The 36 bytes of a CID. The tree stores bytes and makes {@link CID} objects on demand. */
export type CidBytes = Bytes;

/** A CID as an object, or as its 36 bytes where no object is needed. */
export type CidLike = CID | CidBytes;

export const CID_LENGTH = 36;
export const CID_TEXT_LENGTH = 59;
export const CODEC_DAG_CBOR = 0x71;
export const CODEC_RAW = 0x55;
export type CidCodec = typeof CODEC_DAG_CBOR | typeof CODEC_RAW;

const SHA_256 = 0x12;
const SHA_256_LENGTH = 0x20;

/** Returns whether the bytes at `offset` are a supported CID. */
export const isCidBytes = (bytes: Uint8Array, offset = 0): boolean =>
  bytes.length >= offset + CID_LENGTH &&
  bytes[offset] === 1 &&
  (bytes[offset + 1] === CODEC_DAG_CBOR || bytes[offset + 1] === CODEC_RAW) &&
  bytes[offset + 2] === SHA_256 &&
  bytes[offset + 3] === SHA_256_LENGTH;

const cidBytesOfDigest = (codec: CidCodec, hash: Uint8Array): CidBytes => {
  const bytes = new Uint8Array(CID_LENGTH);
  bytes[0] = 1;
  bytes[1] = codec;
  bytes[2] = SHA_256;
  bytes[3] = SHA_256_LENGTH;
  bytes.set(hash, 4);
  return bytes;
};

/** Returns the CID of a digest. Copies the digest. */
export const cidOfDigest = (codec: CidCodec, hash: Uint8Array): CID => decodeCid(cidBytesOfDigest(codec, hash));

/** Hashes bytes and returns their CID. */
export const cidOf = (codec: CidCodec, bytes: Uint8Array): CID => cidOfDigest(codec, sha256(bytes));

/** Returns the 36 bytes of the CID of a dag-cbor block. Its digest is at `index` in the result of a `HashAll`. */
export const dagCborCidAt = (digests: Uint8Array, index: number): CidBytes =>
  cidBytesOfDigest(CODEC_DAG_CBOR, digests.subarray(index * DIGEST_LENGTH, (index + 1) * DIGEST_LENGTH));

/** Returns whether the digest at `index` equals the digest of the CID at `at`. */
export const isDigestOf = (bytes: Uint8Array, digests: Uint8Array, index: number, at = 0): boolean => {
  const start = index * DIGEST_LENGTH;
  const digest = at + CID_LENGTH - DIGEST_LENGTH;
  for (let i = 0; i < DIGEST_LENGTH; i++) {
    if (bytes[digest + i] !== digests[start + i]) {
      return false;
    }
  }
  return true;
};

/** Hashes a dag-cbor block and returns the 36 bytes of its CID. */
export const cidBytesOf = (block: Uint8Array): CidBytes => cidBytesOfDigest(CODEC_DAG_CBOR, sha256(block));

/**
 * Returns the CID of 36 bytes. Does not copy them.
 * @throws {RepoError} `Malformed` when they are not a supported CID.
 */
export const decodeCid = (bytes: Uint8Array): CID => {
  if (bytes.length !== CID_LENGTH || !isCidBytes(bytes)) {
    throw new RepoError(
      'Malformed',
      `the bytes are not a CIDv1 of dag-cbor or raw with SHA-256: pass its 36 bytes; length=${bytes.length}`,
    );
  }
  // With the constructors: `CID.decode` and `CID.createV1` parse the bytes again and take 6 times as long.
  return new CID(1, bytes[1]!, new Digest(SHA_256, SHA_256_LENGTH, bytes.subarray(4), bytes.subarray(2)), bytes);
};

/**
 * Returns a value as a CID, also one of another copy of multiformats or after `structuredClone`. Returns `undefined`
 * for other values. `CID.asCID` is unsafe: it accepts the untrusted map `{ "/": "x", "bytes": "x" }`.
 */
export const asCid = (value: unknown): CID | undefined => {
  if (value instanceof CID) {
    return value;
  }
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const { '/': slash, bytes, asCID } = value as Record<string, unknown>;
  const isForeign = isBytes(bytes) && (slash === bytes || asCID === value);
  return isForeign && bytes.length === CID_LENGTH && isCidBytes(bytes) ? decodeCid(bytes) : undefined;
};

/** Hashes bytes and returns whether they match the CID. */
export const isCidOf = (cid: CID, bytes: Uint8Array): boolean => equalBytes(cid.multihash.digest, sha256(bytes));

export const cidEquals = (a: CID | undefined, b: CID | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && equalBytes(a.bytes, b.bytes));

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
/**
 * Two characters per ten bits: half the lookups of one character per five bits, and 6 times as fast as the general
 * coder.
 */
const PAIRS: readonly string[] = /* @__PURE__ */ Array.from(
  { length: 1024 },
  (_, bits) => ALPHABET[bits >> 5]! + ALPHABET[bits & 31]!,
);

/** Returns the text form of 36 bytes: `b` and 58 characters of lower-case base32 without padding. */
export const cidBytesToText = (bytes: Uint8Array): string => {
  let text = 'b';
  // Five bytes are eight characters; 36 are seven groups and one byte.
  for (let i = 0; i < 35; i += 5) {
    const high = (bytes[i]! << 12) | (bytes[i + 1]! << 4) | (bytes[i + 2]! >> 4);
    const low = ((bytes[i + 2]! & 15) << 16) | (bytes[i + 3]! << 8) | bytes[i + 4]!;
    text += PAIRS[high >> 10]! + PAIRS[high & 1023]! + PAIRS[low >> 10]! + PAIRS[low & 1023]!;
  }
  return text + PAIRS[bytes[35]! << 2]!;
};

/** Returns the bytes of a CID: 36 for a supported one. */
export const bytesOfCid = (cid: CidLike): CidBytes =>
  ((cid as Partial<CID>).bytes as CidBytes | undefined) ?? (cid as CidBytes);

/** Returns the text form of a CID. It is also the key of maps by CID. */
export const cidToText = (cid: CidLike): string => {
  const bytes = bytesOfCid(cid);
  return bytes.length === CID_LENGTH ? cidBytesToText(bytes) : String(cid);
};

const CODES: Uint8Array = /* @__PURE__ */ Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0));

/** Writes the text form of 36 bytes as 59 ASCII bytes, without making a string. */
export const writeCidText = (bytes: Uint8Array, into: Uint8Array): void => {
  into[0] = 0x62;
  let at = 1;
  for (let i = 0; i < 35; i += 5) {
    const [a, b, c, d, e] = [bytes[i]!, bytes[i + 1]!, bytes[i + 2]!, bytes[i + 3]!, bytes[i + 4]!];
    into[at] = CODES[a >> 3]!;
    into[at + 1] = CODES[((a & 7) << 2) | (b >> 6)]!;
    into[at + 2] = CODES[(b >> 1) & 31]!;
    into[at + 3] = CODES[((b & 1) << 4) | (c >> 4)]!;
    into[at + 4] = CODES[((c & 15) << 1) | (d >> 7)]!;
    into[at + 5] = CODES[(d >> 2) & 31]!;
    into[at + 6] = CODES[((d & 3) << 3) | (e >> 5)]!;
    into[at + 7] = CODES[e & 31]!;
    at += 8;
  }
  into[57] = CODES[bytes[35]! >> 3]!;
  into[58] = CODES[(bytes[35]! & 7) << 2]!;
};

const VALUES: Int8Array = /* @__PURE__ */ (() => {
  const values = new Int8Array(128).fill(-1);
  for (let i = 0; i < 32; i++) {
    values[ALPHABET.charCodeAt(i)] = i;
  }
  return values;
})();

/** Returns the first 59 characters as ASCII codes. Other characters become zero, which is invalid in a CID. */
const codesOf = (text: string): Uint8Array => {
  const codes = new Uint8Array(CID_TEXT_LENGTH);
  for (let i = 0; i < CID_TEXT_LENGTH; i++) {
    const code = text.charCodeAt(i);
    codes[i] = code < 128 ? code : 0;
  }
  return codes;
};

/**
 * Returns the 36 bytes of a CID's text form, or `undefined` if the text is not the canonical form of a supported CID.
 * @param text A string, or ASCII bytes.
 */
export const cidTextToBytes = (text: string | Uint8Array): CidBytes | undefined => {
  if (text.length !== CID_TEXT_LENGTH) {
    return undefined;
  }
  const codes = typeof text === 'string' ? codesOf(text) : text;
  if (codes[0] !== 0x62) {
    return undefined;
  }
  const bytes = new Uint8Array(CID_LENGTH);
  let bits = 0;
  let count = 0;
  let at = 0;
  for (let i = 1; i < CID_TEXT_LENGTH; i++) {
    const value = VALUES[codes[i]!] ?? -1;
    if (value < 0) {
      return undefined;
    }
    bits = ((bits << 5) | value) & 0xfff;
    count += 5;
    if (count >= 8) {
      count -= 8;
      bytes[at++] = (bits >> count) & 0xff;
    }
  }
  // 58 characters have 290 bits, two more than 36 bytes. They must be zero, so that each CID has one text.
  return (bits & 3) === 0 && isCidBytes(bytes) ? bytes : undefined;
};

/**
 * Parses the text form of a CID.
 * @throws {RepoError} `Malformed` when the text is not the canonical form (base32, lower case) of a supported CID.
 */
export const parseCid = (text: string): CID => {
  const bytes = cidTextToBytes(text);
  if (bytes === undefined) {
    throw new RepoError(
      'Malformed',
      `the text is not a CIDv1 of dag-cbor or raw with SHA-256: pass its form in lower-case base32; text=${text.slice(0, 80)}`,
    );
  }
  return decodeCid(bytes);
};
