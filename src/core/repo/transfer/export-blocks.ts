/** `Repo.exportBlocks`: some stored blocks as a CAR. */
import { writeCar } from '../../car/writer.ts';
import type { Bytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';
import { cidToText } from '../../data/cid.ts';
import { requireBlocks } from '../../storage/checked-blocks.ts';
import type { RepoParts } from '../open-parts.ts';
import { assertCid } from '../write/argument-checks.ts';

export const exportBlocks = async ({ hashAll, store }: RepoParts, cids: readonly CID[]): Promise<Bytes> => {
  cids.forEach((cid) => assertCid(cid, 'cids'));
  const unique = [...new Map(cids.map((cid) => [cidToText(cid), cid])).values()];
  const blocks = await requireBlocks(store, unique, hashAll);
  return writeCar(
    [],
    unique.map((cid, i) => ({ cid, bytes: blocks[i]! })),
  );
};
