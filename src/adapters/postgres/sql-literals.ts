/** Literals, for statements that run together in one round trip and cannot have parameters. */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { SqlParameter } from './sql-client.ts';
import { encodeText } from './repo-tables.ts';

/** Returns an expression of type `bytea`. It has no backslash, whose meaning depends on a setting of the server. */
export const bytesLiteral = (bytes: Uint8Array): string => `decode('${bytesToHex(bytes)}', 'hex')`;

/** Returns an expression of type `text` or `bytea`. */
export const literalOf = (value: SqlParameter): string => {
  if (typeof value !== 'string') {
    return bytesLiteral(value);
  }
  return /^[\w {},.-]*$/.test(value) ? `'${value}'::text` : `convert_from(${bytesLiteral(encodeText(value))}, 'UTF8')`;
};
