/** Recognizes common input that is not a CAR by its first bytes, for error messages. */
import { concatBytes } from '../data/bytes.ts';
import { isRepoError, RepoError } from '../errors.ts';

/** Bytes that are needed: the magic of a tar file is at offset 257, and errors of servers are short. */
export const FIRST_BYTES = 4096;

/** Most characters of an untrusted text in a message. */
const MAX_SHOWN = 200;

const MARKS: readonly (readonly [string, readonly number[], number?])[] = [
  ['compressed with gzip; decompress it first', [0x1f, 0x8b]],
  ['compressed with bzip2; decompress it first', [0x42, 0x5a, 0x68]],
  ['compressed with xz; decompress it first', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['compressed with zstd; decompress it first', [0x28, 0xb5, 0x2f, 0xfd]],
  ['a zip file; unpack it first', [0x50, 0x4b, 0x03, 0x04]],
  ['an empty zip file', [0x50, 0x4b, 0x05, 0x06]],
  ['a tar file; unpack it first', [0x75, 0x73, 0x74, 0x61, 0x72], 257],
  // `SQLite format 3`
  [
    'an SQLite database; if it is the pds.db of a repository, open its folder',
    [0x53, 0x51, 0x4c, 0x69, 0x74, 0x65, 0x20, 0x66, 0x6f, 0x72, 0x6d, 0x61, 0x74],
  ],
  ['an image (PNG)', [0x89, 0x50, 0x4e, 0x47]],
  ['an image (JPEG)', [0xff, 0xd8, 0xff]],
  ['an image (GIF)', [0x47, 0x49, 0x46, 0x38]],
];

const shown = (text: string): string => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);

/** Decodes bytes as text, or returns `undefined`. The last character may be incomplete. */
const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    // A text has line ends and tabs, and no other control characters.
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? undefined : text.trim();
  } catch {
    // Not UTF-8, so not a text.
    return undefined;
  }
};

/** Returns a text field of a JSON object, which may be truncated. */
const jsonText = (json: string, field: string): string | undefined => {
  const [, text] = new RegExp(`"${field}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(json) ?? [];
  try {
    return text === undefined ? undefined : (JSON.parse(text) as string);
  } catch {
    // Not a valid JSON string.
    return undefined;
  }
};

const describeJson = (text: string): string => {
  const error = text.startsWith('{') ? jsonText(text, 'error') : undefined;
  if (error === undefined) {
    return 'JSON';
  }
  const message = jsonText(text, 'message');
  return `the error of a server: ${shown(error)}${message === undefined ? '' : `: ${shown(message)}`}`;
};

const describeText = (text: string): string => {
  if (text === '') {
    return 'only white space';
  }
  if (/^<(!doctype html|html|head|body|!--)/i.test(text)) {
    return 'a web page (HTML)';
  }
  if (text.startsWith('<')) {
    return 'XML';
  }
  if (/^[{[]/.test(text)) {
    return describeJson(text);
  }
  if (/^HTTP\/\d/.test(text)) {
    return `the response of a server with its headers: ${shown(/^[^\r\n]*/.exec(text)![0])}`;
  }
  // Never shown in the message, because they may be secrets.
  if (/^(?:[a-z0-9]+:)?[0-9a-f]{64}$/i.test(text) || /^-----BEGIN [A-Z ]*KEY-----/.test(text)) {
    return 'a key file';
  }
  if (/^did:key:\S+$/.test(text)) {
    return 'a public key (did:key)';
  }
  // The base64 of the header of a CAR: a map with a field `roots`.
  if (/^[A-Za-z0-9+/_-]{2}[A-Za-z0-9+/_-]?Jlcm9vdH/.test(text)) {
    return 'a CAR as base64; decode it first';
  }
  if (/^[A-Za-z0-9+/_\r\n-]{40,}={0,2}$/.test(text)) {
    return 'base64; decode it first';
  }
  return 'a text';
};

/**
 * Describes an input that is not a CAR. The text completes "it is …": a web page, the error of a server with
 * its `error` and `message`, a compressed or an SQLite file, a key, or empty. Returns `undefined` if it is unknown or
 * may be a CAR.
 *
 * @param first The first {@link FIRST_BYTES} bytes of the input, or all if it is shorter.
 */
export const describeForeignInput = (first: Uint8Array): string | undefined => {
  if (first.length === 0) {
    return 'empty';
  }
  const mark = MARKS.find(([, bytes, at = 0]) => bytes.every((byte, i) => first[at + i] === byte));
  if (mark !== undefined) {
    return mark[0];
  }
  const text = textOf(first.subarray(0, FIRST_BYTES));
  return text === undefined ? undefined : describeText(text);
};

/** Collects the first bytes of an input, to describe it if it is not a CAR. */
export class FirstBytes {
  #bytes: Uint8Array = new Uint8Array(0);

  /** Whether all needed bytes were collected. */
  get isFull(): boolean {
    return this.#bytes.length === FIRST_BYTES;
  }

  /** Adds the needed part of the next chunk. */
  add(chunk: Uint8Array): void {
    if (!this.isFull) {
      this.#bytes = concatBytes([this.#bytes, chunk.subarray(0, FIRST_BYTES - this.#bytes.length)]);
    }
  }

  /** Returns the error for an unreadable header. The message describes the input if it is recognized. */
  explain(cause: unknown): unknown {
    const what = isRepoError(cause) ? describeForeignInput(this.#bytes) : undefined;
    return what === undefined ? cause : new RepoError('Malformed', `the input is not a CAR: it is ${what}`, { cause });
  }
}
