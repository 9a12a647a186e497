/** Reads an account's public key from the command line. */
import type { KeySource } from '../../index.ts';
import { CURVES, MAX_DID_DOCUMENT_LENGTH, importKey, toDidKey } from '../../index.ts';
import { CommandError } from '../terminal/command-error.ts';
import { nameOfInput, readText } from '../terminal/input.ts';
import type { Context } from '../terminal/shell.ts';
import { keyLineOf } from './key-file.ts';

/** A key itself: a `did:…`, the JSON of a DID document, or a `publicKeyMultibase`. Any other text is a path. */
const ITSELF = /^\s*(?:did:|\{|z[1-9A-HJ-NP-Za-km-z]{40,}\s*$)/;

export interface GivenKey {
  /** For the option `key` of the library. */
  readonly source: KeySource;
  /** Whether it was the file of a secret key. */
  readonly secret: boolean;
}

/**
 * Reads a public key: a `did:key`, a `publicKeyMultibase`, or a DID document as JSON; or a file with one of these, or
 * with a secret key. `-` is standard input.
 * @throws {CommandError} `InvalidRequest` if the file has none of these. The message never contains its text, which may
 *   be part of a secret.
 */
export const readPublicKey = async (context: Context, text: string): Promise<GivenKey> => {
  if (ITSELF.test(text)) {
    return { source: text, secret: false };
  }
  const content = await readText(context, text, 'a key', MAX_DID_DOCUMENT_LENGTH);
  const line = keyLineOf(content);
  if (line !== undefined) {
    return { source: importKey(line.hex, line.curve).did(), secret: true };
  }
  if (!ITSELF.test(content)) {
    throw new CommandError(
      'InvalidRequest',
      'The file is not a key. Expected a did:key, a publicKeyMultibase (z…), a DID document as JSON, or one line: a curve ' +
        `(${CURVES.join(', ')}), a colon and 64 hexadecimal digits; file=${nameOfInput(text)}`,
    );
  }
  return { source: content, secret: false };
};

/** Reads the key in `--key`. Returns `undefined` if it is not set. */
export const readAccountKey = async (context: Context, text: string | undefined): Promise<KeySource | undefined> =>
  text === undefined ? undefined : (await readPublicKey(context, text)).source;

/** Returns the `did:key` of a key, and whether the text was a secret key. */
export const inspectKey = async (
  context: Context,
  text: string,
): Promise<{ readonly did: string; readonly secret: boolean }> => {
  const { source, secret } = await readPublicKey(context, text);
  return { did: toDidKey(source), secret };
};
