/** `Repo.exportBlocks`: some stored blocks as a CAR. */
import { writeCar } from '../../car/writer.ts';
import type { Bytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';
import { cidToText } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import { assertBlocks } from '../../storage/checked-blocks.ts';
import type { RepoParts } from '../open-parts.ts';
import { assertCid } from '../write/argument-checks.ts';

/** Most CIDs that a message names. */
const MAX_NAMED = 5;

export const exportBlocks = async ({ hashAll, store }: RepoParts, cids: readonly CID[]): Promise<Bytes> => {
  cids.forEach((cid) => assertCid(cid, 'cids'));
  const unique = [...new Map(cids.map((cid) => [cidToText(cid), cid])).values()];
  const blocks = await store.getMany(unique);
  const missing = unique.filter((_, i) => blocks[i] === undefined);
  if (missing.length > 0) {
    const named = missing.slice(0, MAX_NAMED).map(cidToText).join(',');
    throw new RepoError(
      'BlockNotFound',
      `blocks are not stored: import a CAR that has them, or leave them out; missing=${missing.length} cids=${named}`,
    );
  }
  assertBlocks(hashAll, unique, blocks);
  return writeCar(
    [],
    unique.map((cid, i) => ({ cid, bytes: blocks[i]! })),
  );
};
