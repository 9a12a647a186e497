/**
 * The blobs that the records of the head mention. They are remembered with the root of their tree while the repository
 * is open: a later read costs what differs between the two trees. A root names its content, so nothing that another
 * owner does makes a remembered value wrong.
 */
import type { BlobMention } from '../../data/blob-ref.ts';
import type { CID } from '../../data/cid.ts';
import { cidEquals } from '../../data/cid.ts';
import { isRepoError } from '../../errors.ts';
import type { TreeChange } from '../../mst/diff.ts';
import { diffTrees } from '../../mst/diff.ts';
import type { Leaf } from '../../mst/node.ts';
import { walkLeaves } from '../../mst/walk.ts';
import type { MentioningTree, RepoParts } from '../open-parts.ts';
import type { PathMention, RecordMentions } from './blob-mentions.ts';
import { mentionsIn, pathMentions } from './blob-mentions.ts';

/**
 * Most mentions that are remembered. A mention takes about 400 bytes. A sample of a million records has 27,000.
 */
const MAX_MENTIONS = 100_000;

/** Records per read. */
const BATCH = 256;

type Parts = Pick<RepoParts, 'heads' | 'nodes' | 'store'>;

/** Remembers mentions of a tree, unless there are too many. */
class Collected {
  readonly #byPath: Map<string, readonly BlobMention[]>;
  #count: number;

  constructor(before: MentioningTree | undefined) {
    this.#byPath = new Map(before?.byPath);
    this.#count = before?.count ?? 0;
  }

  delete(path: string): void {
    this.#count -= this.#byPath.get(path)?.length ?? 0;
    this.#byPath.delete(path);
  }

  add({ path, mentions }: RecordMentions): void {
    this.#count += mentions.length;
    if (this.#count <= MAX_MENTIONS) {
      this.#byPath.set(path, mentions);
    }
  }

  /** Returns `undefined` if there are too many. */
  of(data: CID): MentioningTree | undefined {
    return this.#count > MAX_MENTIONS ? undefined : { data, byPath: this.#byPath, count: this.#count };
  }
}

const inKeyOrder = function* ({ byPath }: MentioningTree): Generator<PathMention> {
  for (const path of [...byPath.keys()].sort()) {
    yield* pathMentions({ path, mentions: byPath.get(path)! });
  }
};

/** Returns the mentions of a tree from those of another one, or `undefined` if nodes of the other one are missing. */
const mentionsSince = async (
  { nodes, store }: Parts,
  before: MentioningTree,
  root: CID,
): Promise<MentioningTree | undefined> => {
  const collected = new Collected(before);
  const read = async (changes: readonly TreeChange[]): Promise<void> => {
    changes.forEach(({ key }) => collected.delete(key));
    const leaves = changes.flatMap(({ key, to }): Leaf[] => (to === undefined ? [] : [{ key, value: to }]));
    for (const record of await mentionsIn(store, leaves)) {
      collected.add(record);
    }
  };
  try {
    let batch: TreeChange[] = [];
    for await (const change of diffTrees(nodes, before.data, root)) {
      batch.push(change);
      if (batch.length === BATCH) {
        await read(batch);
        batch = [];
      }
    }
    await read(batch);
    return collected.of(root);
  } catch (error) {
    // `gc` has removed the other tree, or it is damaged. An error of this tree comes again when all of it is read.
    if (isRepoError(error)) {
      return undefined;
    }
    throw error;
  }
};

/**
 * Yields the mentions of blobs in the tree of a head, in key order, one per record and blob. Skips records that break
 * the data model. The first call reads all records, and remembers their mentions when it ends.
 */
export async function* headMentions(parts: Parts, root: CID): AsyncGenerator<PathMention> {
  const { heads, nodes, store } = parts;
  const before = heads.mentioning;
  const known =
    before === undefined || cidEquals(before.data, root) ? before : await mentionsSince(parts, before, root);
  if (known !== undefined) {
    heads.mentioning = known;
    yield* inKeyOrder(known);
    return;
  }
  const collected = new Collected(undefined);
  for await (const leaves of walkLeaves(nodes, root)) {
    for (const record of await mentionsIn(store, leaves)) {
      collected.add(record);
      yield* pathMentions(record);
    }
  }
  heads.mentioning = collected.of(root);
}
