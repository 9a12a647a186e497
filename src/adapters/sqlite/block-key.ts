/** Keys of the table of blocks. */
import type { CidLike } from '../../core/data/cid.ts';
import { bytesOfCid, CID_LENGTH, CID_TEXT_LENGTH, cidToText, writeCidText } from '../../core/data/cid.ts';

/** The key that was asked for last, for who uses it at once. */
const lastKey: Uint8Array = /* @__PURE__ */ new Uint8Array(CID_TEXT_LENGTH);

/** The key of a block's row: the text of its CID, in the bytes that SQLite stores. */
export const keyOf = (cid: CidLike): string | Uint8Array => {
  const bytes = bytesOfCid(cid);
  if (bytes.length !== CID_LENGTH) {
    return cidToText(cid);
  }
  writeCidText(bytes, lastKey);
  return lastKey;
};
