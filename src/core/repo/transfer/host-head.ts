/** Makes a commit of the account's host the head: the last part of an import and of an event. */
import type { BlockChange } from '../../storage/ports.ts';
import type { ImportOptions } from '../long-work.ts';
import type { RepoParts } from '../open-parts.ts';
import { MAIN } from '../store-names.ts';
import { setMetaValues } from '../write/meta.ts';
import { noteKey } from '../write/other-key.ts';
import type { BaseCommit } from './base.ts';
import { setBase } from './base.ts';
import { markJump } from './jumps.ts';

export interface HostHeadOptions extends Pick<ImportOptions, 'meta'> {
  /** Whether the commit before it is unknown. */
  readonly isJump: boolean;
  /** The `did:key` that the commit was verified with. */
  readonly didKey: string | undefined;
}

/** Part of the change that stores the commit's blocks and adds it to the list of commits. */
export const setHostHead = async (
  parts: RepoParts,
  change: BlockChange,
  head: BaseCommit,
  { isJump, didKey, meta }: HostHeadOptions,
): Promise<void> => {
  await change.setRef(MAIN, head.cid);
  if (isJump) {
    await markJump(change, head.rev);
  }
  await setBase(change, head);
  await noteKey(parts, change, head.cid, didKey);
  await setMetaValues(change, meta);
};
