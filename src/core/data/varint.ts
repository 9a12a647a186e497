/**
 * Unsigned varints: seven bits per byte, least significant first. All bytes but the last have the top bit set.
 * https://github.com/multiformats/unsigned-varint
 *
 * Accepts only minimal varints up to 2^53 - 1. Multiplies instead of shifting, because shifts have 32 bits: 2^32 + 5
 * would read as 5.
 */
import type { Bytes } from './bytes.ts';
import { RepoError } from '../errors.ts';

/** The length of the varint of 2^53 - 1. A longer varint is too large. */
export const MAX_VARINT_LENGTH = 8;

/**
 * Decodes a varint. `bytes` must be exactly one varint.
 * @throws {RepoError} `Malformed` when `bytes` is not one whole minimal varint of at most 2^53 - 1.
 */
export const decodeVarint = (bytes: Uint8Array): number => {
  const last = bytes.length - 1;
  if (last < 0 || bytes.findIndex((byte) => byte < 0x80) !== last) {
    throw new RepoError(
      'Malformed',
      `the bytes are not exactly one varint: pass its bytes alone; length=${bytes.length}`,
    );
  }
  if (last > 0 && bytes[last] === 0) {
    throw new RepoError(
      'Malformed',
      `the varint is not minimal: its last byte is zero. Encode it with encodeVarint; length=${bytes.length}`,
    );
  }
  let value = 0;
  for (let i = last; i >= 0; i--) {
    value = value * 0x80 + (bytes[i]! & 0x7f);
  }
  if (value > Number.MAX_SAFE_INTEGER) {
    throw new RepoError('Malformed', `the varint is above 2^53 - 1: encode a smaller number; value=${value}`);
  }
  return value;
};

/**
 * Returns the length of a varint in bytes.
 * @throws {TypeError} when the value is not a safe integer from 0.
 */
export const varintLength = (value: number): number => {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TypeError(`cannot encode a value as a varint: use a safe integer from 0; value=${value}`);
  }
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    length += 1;
  }
  return length;
};

/** Writes a varint. Returns its end. The caller has checked the value with {@link varintLength}. */
export const writeVarint = (value: number, into: Uint8Array, start: number): number => {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    into[at++] = (rest % 0x80) | 0x80;
  }
  into[at++] = rest;
  return at;
};

/**
 * Encodes a varint.
 * @throws {TypeError} when the value is not a safe integer from 0.
 */
export const encodeVarint = (value: number): Bytes => {
  const bytes = new Uint8Array(varintLength(value));
  writeVarint(value, bytes, 0);
  return bytes;
};
