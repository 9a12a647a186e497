/**
 * Unsigned varints: seven bits a byte, the least significant first, the top bit set on all but the last.
 * https://github.com/multiformats/unsigned-varint
 *
 * Only minimal ones, and only up to what a number holds exactly. Shifts of JavaScript work on 32 bits, where a
 * length of 2^32 + 5 would read as 5; so this multiplies.
 */
import type { Bytes } from './bytes.ts';
import { RepoError } from '../errors.ts';

/** 2^53 - 1 takes so many bytes: whatever goes on past them is too large. */
export const MAX_VARINT_LENGTH = 8;

/**
 * The value of a varint that is all of `bytes`.
 * @throws {RepoError} `Malformed` when it is cut, not minimal, past 2^53 - 1, or not all of them.
 */
export const decodeVarint = (bytes: Uint8Array): number => {
  const last = bytes.length - 1;
  if (last < 0 || bytes.findIndex((byte) => byte < 0x80) !== last) {
    throw new RepoError('Malformed', `not one whole varint; length=${bytes.length}`);
  }
  if (last > 0 && bytes[last] === 0) {
    throw new RepoError('Malformed', 'varint is not minimal');
  }
  let value = 0;
  for (let i = last; i >= 0; i--) {
    value = value * 0x80 + (bytes[i]! & 0x7f);
  }
  if (value > Number.MAX_SAFE_INTEGER) {
    throw new RepoError('Malformed', 'varint is past 2^53 - 1');
  }
  return value;
};

/** How many bytes a value takes. @throws {TypeError} unless it is a safe integer of 0 or more. */
export const varintLength = (value: number): number => {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new TypeError(`not a value of a varint; value=${value}`);
  }
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    length += 1;
  }
  return length;
};

/** Writes a value that {@link varintLength} has measured; answers where it ends. */
export const writeVarint = (value: number, into: Uint8Array, start: number): number => {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    into[at++] = (rest % 0x80) | 0x80;
  }
  into[at++] = rest;
  return at;
};

/** @throws {TypeError} unless the value is a safe integer of 0 or more. */
export const encodeVarint = (value: number): Bytes => {
  const bytes = new Uint8Array(varintLength(value));
  writeVarint(value, bytes, 0);
  return bytes;
};
