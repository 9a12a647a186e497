/** An account's public key, as it is given on the command line. */
import type { KeySource } from '../../index.ts';
import { CURVES, MAX_DID_DOCUMENT_LENGTH, importKey, toDidKey } from '../../index.ts';
import { CommandError } from '../terminal/command-error.ts';
import { nameOfInput, readText } from '../terminal/input.ts';
import type { Context } from '../terminal/shell.ts';
import { keyLineOf } from './key-file.ts';

/** What stands for itself: a `did:…`, the JSON of a DID document, or a `publicKeyMultibase`. All else names a file. */
const ITSELF = /^\s*(?:did:|\{|z[1-9A-HJ-NP-Za-km-z]{40,}\s*$)/;

export interface GivenKey {
  /** For the option `key` of the library. */
  readonly source: KeySource;
  /** Whether it was the file of a secret key. */
  readonly secret: boolean;
}

/**
 * A public key: a `did:key`, a `publicKeyMultibase`, a DID document as JSON; or a file with one of these, or with a
 * secret key, whose public side is meant. `-` is standard input.
 * @throws {CommandError} `InvalidRequest` when a file holds none of these. The message does not repeat its text, which
 *   may be half a secret.
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
      'expected a did:key, a publicKeyMultibase (z…), a DID document as JSON, or a key file of one line: a curve ' +
        `(${CURVES.join(', ')}), a colon and 64 hexadecimal digits; file=${nameOfInput(text)}`,
    );
  }
  return { source: content, secret: false };
};

/** The key that `--key` names, if it is given. */
export const readAccountKey = async (context: Context, text: string | undefined): Promise<KeySource | undefined> =>
  text === undefined ? undefined : (await readPublicKey(context, text)).source;

/** The `did:key` of a public key, and whether its secret was given. */
export const inspectKey = async (
  context: Context,
  text: string,
): Promise<{ readonly did: string; readonly secret: boolean }> => {
  const { source, secret } = await readPublicKey(context, text);
  return { did: toDidKey(source), secret };
};
