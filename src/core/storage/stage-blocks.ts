/** Adds blocks of a change whose caller does not ask which of them were new. */
import type { NamedBlock } from '../blocks/block.ts';
import type { BlockChange } from './ports.ts';

/** Adds blocks, at the end of the change if the store can. */
export const stageBlocks = async (change: BlockChange, blocks: readonly NamedBlock[]): Promise<void> => {
  await (change.stage === undefined ? change.put(blocks) : change.stage(blocks));
};
