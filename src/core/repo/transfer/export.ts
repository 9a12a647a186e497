/** A repository, or what is new in it, as a CAR. */
import { writeCarStreamOf } from '../../car/writer.ts';
import type { CidBytes } from '../../data/cid.ts';
import { bytesOfCid, cidToText } from '../../data/cid.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { RepoError } from '../../errors.ts';
import { walkPreorder } from '../../mst/preorder.ts';
import type { ExportOptions } from '../long-work.ts';
import type { Head } from '../repo.ts';
import type { HashAll } from '../../data/sha256.ts';
import type { BlockReader } from '../../storage/ports.ts';
import type { NamedBlock } from '../../blocks/block.ts';
import { preload } from './preload.ts';
import { resolveCommit } from '../read/history.ts';
import type { RepoParts } from '../open-parts.ts';
import { assertBlocks, requireBlock } from '../../storage/checked-blocks.ts';
import { readHead } from '../read/head.ts';
import { reachTree } from '../care/reach.ts';

const requireHead = async (parts: RepoParts): Promise<Head> => {
  const head = await readHead(parts);
  if (head === undefined) {
    throw new RepoError('HeadNotFound', `the repository has no commit yet; did=${parts.did}`);
  }
  return head;
};

/** The blocks of many CIDs, in their order, hashes checked. */
const requireBlocks = async (
  blocks: BlockReader,
  hashAll: HashAll,
  cids: readonly CidBytes[],
): Promise<NamedBlock[]> => {
  const found = await blocks.getMany(cids);
  assertBlocks(hashAll, cids, found);
  return found.map((bytes, i) => {
    const cid = cids[i]!;
    if (bytes === undefined) {
      throw new RepoError('BlockNotFound', `block not found; cid=${cidToText(cid)}`);
    }
    return { cid, bytes };
  });
};

interface Piece {
  readonly blocks: readonly NamedBlock[];
  /** How many of them are records. */
  readonly records: number;
}

/**
 * The blocks of a head in preorder, in batches: the commit, then the tree depth first with each record after its key.
 * What an older state has is left out; two equal records are written once.
 * https://atproto.com/specs/repository#car-file-serialization
 */
async function* headBlocks(
  parts: RepoParts,
  head: Head,
  since: Head | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Piece> {
  const { hashAll, store } = parts;
  const written = createCidSet();
  if (since !== undefined) {
    written.add(since.cid.bytes);
    await reachTree(parts.nodes.nodes, since.data, written);
  }
  // What is new since then is a small part of what there is.
  const blocks = since === undefined ? await preload(store, signal) : store;
  if (written.add(head.cid.bytes)) {
    yield { blocks: [{ cid: head.cid, bytes: await requireBlock(blocks, head.cid) }], records: 0 };
  }
  for await (const steps of walkPreorder(blocks, head.data, hashAll)) {
    const fresh = steps.filter((step) => written.add('bytes' in step ? bytesOfCid(step.cid) : step.value));
    const records = await requireBlocks(
      blocks,
      hashAll,
      fresh.flatMap((step) => ('bytes' in step ? [] : [step.value])),
    );
    let next = 0;
    yield { blocks: fresh.map((step) => ('bytes' in step ? step : records[next++]!)), records: records.length };
  }
}

/** Calls `end` when `items` end, fail or are left. */
async function* endingWith<T>(end: () => void, items: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } finally {
    end();
  }
}

/** `Repo.exportCar`. The head is the one at the first read; commits made meanwhile are not in it. */
export const exportCar = (parts: RepoParts, options: ExportOptions = {}): ReadableStream<Uint8Array> => {
  const { at, signal, onProgress, since } = options;
  async function* blocks(head: Head, base: Head | undefined): AsyncGenerator<readonly NamedBlock[]> {
    const progress = { phase: 'write' as const, bytes: 0, blocks: 0, records: 0 };
    for await (const piece of headBlocks(parts, head, base, signal)) {
      signal?.throwIfAborted();
      for (const { bytes } of piece.blocks) {
        progress.bytes += bytes.length;
      }
      progress.blocks += piece.blocks.length;
      progress.records += piece.records;
      onProgress?.({ ...progress });
      yield piece.blocks;
    }
  }
  return writeCarStreamOf(async () => {
    const { states, release } = await parts.pins.pin(
      async () =>
        [
          at === undefined ? await requireHead(parts) : await resolveCommit(parts, at),
          since === undefined ? undefined : await resolveCommit(parts, since),
        ] as const,
    );
    const [head, base] = states;
    return { roots: head.cid, blocks: endingWith(release, blocks(head, base)) };
  });
};
