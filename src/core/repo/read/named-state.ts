/** States of the records by name, for a page. Its worker keeps no tree, and finds the state again for each call. */
import { isRepoError, RepoError } from '../../errors.ts';
import type { RepoParts } from '../open-parts.ts';
import type { NamedState } from '../stored-records.ts';
import { readBranch } from '../write/branch-line.ts';
import type { CheckedOut } from '../write/checked-out.ts';
import { checkOut } from '../write/checked-out.ts';
import { RepoTree } from '../write/tree.ts';

const checkOutNamed = async (parts: RepoParts, state: NamedState): Promise<CheckedOut> => {
  if (state === undefined) {
    return checkOut(parts, undefined);
  }
  if ('branch' in state) {
    return checkOut(parts, (await readBranch(parts, state.branch))?.head.cid);
  }
  const { base } = state;
  try {
    const found = await checkOut(parts, base);
    if (base === undefined && found.base !== undefined) {
      throw new RepoError(
        'InvalidSwap',
        'the tree is from before the first commit, which was made meanwhile: check out again',
      );
    }
    return found;
  } catch (cause) {
    const gone = `the tree's base was removed since it was checked out: check out again; cid=${String(base)}`;
    throw isRepoError(cause, 'RefNotFound') ? new RepoError('BlockNotFound', gone, { cause }) : cause;
  }
};

/** `StoredRepo.checkoutPinned`. */
export const checkoutPinned = async (
  parts: RepoParts,
  state: NamedState,
): Promise<{ readonly tree: RepoTree; readonly release: () => void }> => {
  let found: CheckedOut | undefined;
  const { release } = await parts.pins.pin(async () => {
    found = await checkOutNamed(parts, state);
    return [found.base];
  });
  try {
    const tree = RepoTree.checkout(parts, found!);
    return { tree: state !== undefined && 'edits' in state ? await tree.edit(state.edits) : tree, release };
  } catch (error) {
    release();
    throw error;
  }
};
