/**
 * Which tree is known to be whole: it was checked completely, and all of its blocks are stored. An import of a
 * difference to it checks only the difference.
 *
 * A meta value has the root and the number of records. Imports and events write it with the head. Local commits update
 * only the copy in memory, so the first import after them and after a new opening checks everything. `repair` and
 * `salvageRepo` remove the value.
 */
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText, parseCid } from '../../data/cid.ts';
import { isRepoError } from '../../errors.ts';
import { EMPTY_ROOT } from '../../mst/node.ts';
import type { BlockChange, StoreReader } from '../../storage/ports.ts';
import type { RepoParts, WholeTree } from '../open-parts.ts';
import type { RecordChange } from '../tree.ts';

/** The meta key. */
export const WHOLE = 'whole';

/** The tree before the first commit. */
const EMPTY: WholeTree = { data: EMPTY_ROOT, leaves: 0 };

const decode = (text: string | undefined): WholeTree | undefined => {
  const [root = '', leaves = ''] = (text ?? '').split(' ');
  try {
    return /^\d+$/.test(leaves) ? { data: parseCid(root), leaves: Number(leaves) } : undefined;
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return undefined;
  }
};

/** Returns the whole tree with this root, or `undefined` if it is not known to be whole. */
export const wholeTree = async (
  { heads }: Pick<RepoParts, 'heads'>,
  store: Pick<StoreReader, 'meta'>,
  root: CID,
): Promise<WholeTree | undefined> => {
  if (!cidEquals(heads.whole?.data, root)) {
    heads.whole = decode(await store.meta(WHOLE));
  }
  return cidEquals(heads.whole?.data, root) ? heads.whole : undefined;
};

/** Part of the change that makes a whole tree the head's. Afterwards, set `heads.whole`. */
export const noteWhole = (change: BlockChange, { data, leaves }: WholeTree): Promise<void> =>
  change.setMeta(WHOLE, `${cidToText(data)} ${leaves}`);

/** Part of a change that may remove blocks of the head. */
export const forgetWhole = async ({ heads }: Pick<RepoParts, 'heads'>, change: BlockChange): Promise<void> => {
  heads.whole = undefined;
  await change.setMeta(WHOLE, undefined);
};

/** Returns the tree after changes of a whole tree, or `undefined` if the tree before is not known to be whole. */
export const wholeAfter = (
  known: WholeTree | undefined,
  before: CID | undefined,
  { root, changes }: { readonly root: CID; readonly changes: readonly RecordChange[] },
): WholeTree | undefined => {
  const whole = before === undefined ? EMPTY : known;
  if (!cidEquals(whole?.data, before ?? EMPTY_ROOT)) {
    return undefined;
  }
  const count = (action: RecordChange['action']): number => changes.filter((change) => change.action === action).length;
  return { data: root, leaves: whole!.leaves + count('create') - count('delete') };
};
