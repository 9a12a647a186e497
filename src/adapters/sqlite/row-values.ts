/** Values in `pds.db` that are CIDs as text. */
import type { Bytes } from '../../core/data/bytes.ts';
import type { CID } from '../../core/data/cid.ts';
import { cidTextToBytes, decodeCid } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import { isTid } from '../../core/syntax/tid.ts';
import { isCidText } from './invalid-rows.ts';
import type { KeyValueTable } from './key-value-table.ts';
import { decodeText } from './schema.ts';

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/** Writes what a change is to do to a table; `undefined` is to go. */
export const applyTo = <V>(
  table: KeyValueTable,
  changes: ReadonlyMap<string, V | undefined>,
  toText: (value: V) => string,
): void => {
  for (const [key, value] of changes) {
    if (value === undefined) {
      table.delete(key);
    } else {
      table.put(key, encoder.encode(toText(value)));
    }
  }
};

export const isRefRow = (_key: string, value: Uint8Array): boolean => isCidText(value);
export const isCommitRow = (key: string, value: Uint8Array): boolean => isTid(key) && isCidText(value);

/** @throws {RepoError} `Corrupt` when the value of a row is not the text of a CID. */
export const readCid = (table: KeyValueTable, key: string, value: Bytes): CID => {
  const text = decodeText(table, key, value);
  const bytes = cidTextToBytes(text);
  if (bytes === undefined) {
    throw new RepoError('Corrupt', `not a CID; table=${table.name} key=${key.slice(0, 80)} value=${text.slice(0, 80)}`);
  }
  return decodeCid(bytes);
};
