/** Compares two states of the records: `Repo.diff`. */
import type { CidBytes } from '../../data/cid.ts';
import { CID, cidTextToBytes, decodeCid } from '../../data/cid.ts';
import { beginsAsNode } from '../../mst/codec.ts';
import type { Pinnable } from '../care/pins.ts';
import { readPinned } from '../care/pins.ts';
import type { DiffOptions } from '../commits.ts';
import type { RepoParts } from '../open-parts.ts';
import type { RecordChange, Tree } from '../repo.ts';
import { RepoTree } from '../write/tree.ts';
import { readHead } from './head.ts';
import { changesBetween, resolveCommit } from './history.ts';

/** A rev, a ref, the CID of a commit or of the root of a tree, or a tree that `checkout` has returned. */
type State = string | CID | Tree;

const isTree = (state: State): state is Tree => typeof state === 'object' && CID.asCID(state) === null;

/** Returns the tree of a commit, or the tree itself if the name is the CID of its root. */
const resolveRoot = async (parts: RepoParts, at: string | CID): Promise<Pinnable> => {
  const cid = typeof at === 'string' ? cidTextToBytes(at) : CID.asCID(at)?.bytes;
  const root = cid === undefined ? undefined : decodeCid(cid as CidBytes);
  const bytes = root && (await parts.store.get(root));
  return root !== undefined && bytes !== undefined && beginsAsNode(bytes) ? { data: root } : resolveCommit(parts, at);
};

/** `Repo.diff`. */
export async function* diffStates(
  parts: RepoParts,
  from?: State,
  to?: State,
  options?: DiffOptions,
): AsyncGenerator<RecordChange> {
  const trees = [from, to].map((state) =>
    state !== undefined && isTree(state) ? RepoTree.of(state, parts) : undefined,
  );
  /** Of an edited tree, the stored blocks belong to its base. */
  const pinnable = async (state: State | undefined, tree: RepoTree | undefined): Promise<Pinnable | undefined> =>
    state === undefined || tree !== undefined ? tree?.checkedOut.base : resolveRoot(parts, state as string | CID);
  yield* readPinned(
    parts.pins,
    async () => [
      await pinnable(from, trees[0]),
      to === undefined ? await readHead(parts) : await pinnable(to, trees[1]),
    ],
    ([before, after]) =>
      changesBetween(
        { nodes: RepoTree.readerOf(trees, parts) },
        trees[0]?.root ?? before?.data,
        trees[1]?.root ?? after?.data,
        options,
      ),
  );
}
