/** `Repo.exportCar`: writes a repository, or its new blocks since a rev, as a CAR. */
import { writeCarStreamOf } from '../../car/writer.ts';
import { bytesOfCid, cidEquals } from '../../data/cid.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import { walkPreorder } from '../../mst/preorder.ts';
import type { ExportOptions } from '../long-work.ts';
import type { Head } from '../repo.ts';
import type { NamedBlock } from '../../blocks/block.ts';
import { preload } from './preload.ts';
import { commitAt, resolveCommit } from '../read/history.ts';
import { readHeld } from '../care/pins.ts';
import type { RepoParts } from '../open-parts.ts';
import { requireBlock, requireBlocks } from '../../storage/checked-blocks.ts';
import { assertExportOptions, exportFilter } from './export-filter.ts';

interface Batch {
  readonly blocks: readonly NamedBlock[];
  /** Number of records in `blocks`. */
  readonly records: number;
}

/**
 * Yields the blocks of a head in preorder, in batches: the commit, then the tree depth first, each record after its
 * key. With `since`, only the nodes that are new and the records of changed keys. Equal records are written once.
 * https://atproto.com/specs/repository#car-file-serialization
 */
async function* headBlocks(
  parts: RepoParts,
  head: Head,
  since: Head | undefined,
  options: ExportOptions,
): AsyncGenerator<Batch> {
  const { hashAll, store } = parts;
  const filter = await exportFilter(parts, head, since, options);
  // A part may be small, so its blocks are read one by one.
  const blocks = filter === undefined ? await preload(store, options.signal) : store;
  const written = createCidSet();
  if (!cidEquals(since?.cid, head.cid)) {
    written.add(head.cid.bytes);
    yield { blocks: [{ cid: head.cid, bytes: await requireBlock(blocks, head.cid) }], records: 0 };
  }
  for await (const steps of walkPreorder(blocks, head.data, hashAll, filter)) {
    const fresh = steps.filter((step) => written.add('bytes' in step ? bytesOfCid(step.cid) : step.value));
    const records = await requireBlocks(
      blocks,
      fresh.flatMap((step) => ('bytes' in step ? [] : [step.value])),
      hashAll,
    );
    let next = 0;
    yield {
      blocks: fresh.map((step) => ('bytes' in step ? step : { cid: step.value, bytes: records[next++]! })),
      records: records.length,
    };
  }
}

/** Returns the commit of `since`. */
const resolveSince = async (parts: RepoParts, since: string): Promise<Head> => {
  try {
    return await resolveCommit(parts, since);
  } catch (error) {
    if (isRepoError(error, 'RefNotFound') || isRepoError(error, 'BlockNotFound')) {
      throw new RepoError(
        'RefNotFound',
        'the commit of `since` is not in the local history, or `gc` has removed it: export the whole CAR, without `since`; ' +
          `since=${since.slice(0, 80)}`,
        { cause: error },
      );
    }
    throw error;
  }
};

/** `Repo.exportCar`. Exports the head at the first read of the stream. Later commits are not included. */
export const exportCar = (parts: RepoParts, options: ExportOptions = {}): ReadableStream<Uint8Array> => {
  const { at, signal, onProgress, since } = options;
  assertExportOptions(options);
  async function* blocks(head: Head, base: Head | undefined): AsyncGenerator<readonly NamedBlock[]> {
    const progress = { phase: 'write' as const, bytes: 0, blocks: 0, records: 0 };
    for await (const batch of headBlocks(parts, head, base, options)) {
      signal?.throwIfAborted();
      for (const { bytes } of batch.blocks) {
        progress.bytes += bytes.length;
      }
      progress.blocks += batch.blocks.length;
      progress.records += batch.records;
      onProgress?.({ ...progress });
      yield batch.blocks;
    }
  }
  return writeCarStreamOf(async () => {
    const { states, release } = await parts.pins.pin(
      async () =>
        [await commitAt(parts, at), since === undefined ? undefined : await resolveSince(parts, since)] as const,
    );
    const [head, base] = states;
    return { roots: head.cid, blocks: readHeld(parts.pins, { states, release }, () => blocks(head, base)) };
  });
};
