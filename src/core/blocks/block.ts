/** A block: bytes with the CID that names them. */
import type { CID, CidLike } from '../data/cid.ts';

/** Bytes and the CID that names them. The code that makes a block has checked that they match. */
export interface Block {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/** A block to be stored. Its name may be the 36 bytes of its CID. */
export interface NamedBlock {
  readonly cid: CidLike;
  readonly bytes: Uint8Array;
}
