/** Adjacent blocks in one memory region, as in a chunk of a CAR. */
import { concatBytes } from '../../../src/core/data/bytes.ts';
import { bytesOfCid, CID_LENGTH } from '../../../src/core/data/cid.ts';
import { PackedBlocks } from '../../../src/core/blocks/packed-blocks.ts';
import type { NamedBlock } from '../../../src/core/blocks/block.ts';

/** @param before Bytes of something else in front of them. */
export const packedOf = (blocks: readonly NamedBlock[], before = 0, behind = 0): PackedBlocks => {
  const parts = blocks.flatMap(({ cid, bytes }) => [bytesOfCid(cid), bytes]);
  const packed = new PackedBlocks(concatBytes([new Uint8Array(before), ...parts, new Uint8Array(behind)]));
  let end = before;
  for (const { bytes } of blocks) {
    const start = end + CID_LENGTH;
    end = start + bytes.length;
    packed.push(start, end);
  }
  return packed;
};
