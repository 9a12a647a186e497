/** A repository, or what is new in it, as a CAR. */
import { writeCarStreamOf } from '../car-writer.ts';
import type { CID } from '../cid.ts';
import { cidToText, decodeCid } from '../cid.ts';
import { createCidSet } from '../cid-set.ts';
import { RepoError } from '../errors.ts';
import { walkPreorder } from '../mst/preorder.ts';
import type { ExportOptions } from '../long-work.ts';
import type { Head } from '../repo.ts';
import type { Block } from '../store.ts';
import { resolveCommit } from './history.ts';
import type { RepoParts } from './parts.ts';
import { assertBlocks, readHead, requireBlock } from './parts.ts';
import { reachTree } from './reach.ts';

const requireHead = async (parts: RepoParts): Promise<Head> => {
  const head = await readHead(parts);
  if (head === undefined) {
    throw new RepoError('HeadNotFound', `the repository has no commit yet; did=${parts.did}`);
  }
  return head;
};

/** The blocks of many CIDs, in their order, hashes checked. */
const requireBlocks = async (parts: RepoParts, cids: readonly CID[]): Promise<Block[]> => {
  const found = await parts.store.getMany(cids);
  assertBlocks(parts.hashAll, cids, found);
  return found.map((bytes, i) => {
    const cid = cids[i]!;
    if (bytes === undefined) {
      throw new RepoError('BlockNotFound', `block not found; cid=${cidToText(cid)}`);
    }
    return { cid, bytes };
  });
};

interface Piece {
  readonly blocks: readonly Block[];
  /** How many of them are records. */
  readonly records: number;
}

/**
 * The blocks of a head in preorder, in batches: the commit, then the tree depth first with each record after its key.
 * What an older state has is left out; two equal records are written once.
 * https://atproto.com/specs/repository#car-file-serialization
 */
async function* headBlocks(parts: RepoParts, head: Head, since: Head | undefined): AsyncGenerator<Piece> {
  const written = createCidSet();
  if (since !== undefined) {
    written.add(since.cid.bytes);
    await reachTree(parts.nodes.nodes, since.data, written);
  }
  if (written.add(head.cid.bytes)) {
    yield { blocks: [{ cid: head.cid, bytes: await requireBlock(parts.store, head.cid) }], records: 0 };
  }
  for await (const steps of walkPreorder(parts.store, head.data, parts.hashAll)) {
    const fresh = steps.filter((step) => written.add('bytes' in step ? step.cid.bytes : step.value));
    const records = await requireBlocks(parts, fresh.flatMap((step) => ('bytes' in step ? [] : [decodeCid(step.value)])));
    let next = 0;
    yield { blocks: fresh.map((step) => ('bytes' in step ? step : records[next++]!)), records: records.length };
  }
}

/** `Repo.exportCar`. The head is the one at the first read; commits made meanwhile are not in it. */
export const exportCar = (parts: RepoParts, options: ExportOptions = {}): ReadableStream<Uint8Array> => {
  const { signal, onProgress, since } = options;
  async function* blocks(head: Head): AsyncGenerator<readonly Block[]> {
    const base = since === undefined ? undefined : await resolveCommit(parts, since);
    const progress = { phase: 'write' as const, bytes: 0, blocks: 0, records: 0 };
    for await (const piece of headBlocks(parts, head, base)) {
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
    const head = await requireHead(parts);
    return { roots: head.cid, blocks: blocks(head) };
  });
};
