/** The lists of trees that the server walks for a client. Each holds one state until it ends. */
import type { CID } from '../../core/data/cid.ts';
import type { RecordEntry, Repo } from '../../core/repo/repo.ts';
import type { Gone, TreeList, WireRecord } from './protocol.ts';
import { GONE } from './protocol.ts';
import type { ServerTrees } from './server-trees.ts';

/** A list, and for one of the head the commit that it shows. */
export interface OpenedTreeList {
  readonly items: AsyncIterable<unknown>;
  readonly base: CID | undefined;
}

async function* wireRecords(records: AsyncIterable<RecordEntry>): AsyncGenerator<WireRecord> {
  for await (const { uri, cid, rkey, bytes } of records) {
    yield { uri, cid, rkey, bytes };
  }
}

/** The commit that a list without a tree shows when it begins. */
export const stateOf = async (repo: Repo, { branch }: TreeList): Promise<CID | undefined> =>
  ((branch === undefined ? undefined : await repo.branch(branch).head()) ?? (await repo.head()))?.cid;

/** Begins a list; {@link GONE} for a tree that the server has to be told of. */
export const openTreeList = async (repo: Repo, trees: ServerTrees, list: TreeList): Promise<OpenedTreeList | Gone> => {
  const ref = list.tree ?? { base: await stateOf(repo, list) };
  const tree = await trees.find(ref);
  if (tree === GONE) {
    return GONE;
  }
  const items =
    list.of === 'list'
      ? wireRecords(tree.list(list.collection, list.options))
      : tree.entries(list.collection, list.options);
  return { items, base: ref.base };
};
