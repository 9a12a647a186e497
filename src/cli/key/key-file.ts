/**
 * Reads files with a signing key: one line, `secp256k1:` or `p256:` and 64 hexadecimal digits. Digits without a curve
 * are a secp256k1 key, as PDS tools export it.
 */
import type { Curve, SigningKey } from '../../index.ts';
import { CURVES, importKey } from '../../index.ts';
import { CommandError } from '../terminal/command-error.ts';
import { nameOfInput, readText } from '../terminal/input.ts';
import type { Context } from '../terminal/shell.ts';

const LINE = /^(?:([a-z0-9]+):)?([0-9a-fA-F]{64})$/;

/** The line has at most 80 bytes. A larger file is not a key. */
const MAX_KEY_FILE = 64 * 1024;

/** Only the owner may read a key. */
export const KEY_FILE_MODE = 0o600;

const isCurve = (text: string): text is Curve => (CURVES as readonly string[]).includes(text);

export const formatKey = (key: SigningKey): string => `${key.curve}:${Buffer.from(key.export()).toString('hex')}`;

/** Parses a line with a secret key. Returns `undefined` for any other text. */
export const keyLineOf = (text: string): { readonly curve: Curve; readonly hex: string } | undefined => {
  const [, curve = 'secp256k1', hex] = LINE.exec(text.trim()) ?? [];
  return hex === undefined || !isCurve(curve) ? undefined : { curve, hex };
};

/** @throws {CommandError} `InvalidRequest`. The message never contains the text, which may be part of a secret. */
export const parseKey = (text: string, name: string): SigningKey => {
  const line = keyLineOf(text);
  if (line === undefined) {
    throw new CommandError(
      'InvalidRequest',
      `The file is not a key. Expected one line: a curve (${CURVES.join(', ')}), a colon and 64 hexadecimal digits. To make a key, run pdsdb key generate; file=${name}`,
    );
  }
  return importKey(line.hex, line.curve);
};

/** Reads the key in a file or pipe, or in standard input for `-`. */
export const readKeyFile = async (context: Context, path: string): Promise<SigningKey> =>
  parseKey(await readText(context, path, 'a key', MAX_KEY_FILE), nameOfInput(path));

/** Reads the key in `--key`, or in `PDSDB_KEY`. Returns `undefined` if neither is set. */
export const readSigner = async (context: Context, path: string | undefined): Promise<SigningKey | undefined> => {
  // An empty variable counts as not set. An empty option is a mistake.
  const file = path ?? (context.env['PDSDB_KEY'] || undefined);
  return file === undefined ? undefined : readKeyFile(context, file);
};
