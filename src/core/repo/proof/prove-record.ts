/** Making a proof of one record. */
import { writeCar } from '../../car/writer.ts';
import type { Bytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';
import { decodeCid } from '../../data/cid.ts';
import type { Block } from '../../blocks/block.ts';
import { findLoaded } from '../../mst/find.ts';
import { loadPaths } from '../../mst/load.ts';
import { linkTo } from '../../mst/node.ts';
import { loadedBlocks } from '../../mst/proof.ts';
import { requireBlock } from '../../storage/checked-blocks.ts';
import { withPinned } from '../care/pins.ts';
import type { RepoParts } from '../open-parts.ts';
import { commitAt } from '../read/history.ts';
import type { ProofOptions } from './repo-proofs.ts';

/** `Repo.proveRecord`. */
export const proveRecord = (parts: RepoParts, path: string, { at }: ProofOptions = {}): Promise<Bytes> =>
  withPinned(
    parts.pins,
    async () => [await commitAt(parts, at)] as const,
    async ([{ cid, data }]) => {
      const require = async (block: CID): Promise<Block> => ({
        cid: block,
        bytes: await requireBlock(parts.store, block, parts.hashAll),
      });
      const tree = await loadPaths(parts.nodes, linkTo(data), [path], { neighbours: false });
      const value = findLoaded(tree, path);
      const records = value === undefined ? [] : [await require(decodeCid(value))];
      return writeCar([cid], [await require(cid), ...loadedBlocks(tree), ...records]);
    },
  );
