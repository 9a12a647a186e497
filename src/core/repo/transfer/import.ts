/**
 * `Repo.importCar`, in one transaction. Stages the blocks, checks the commit, the tree and the records in the staging
 * area, then writes the blocks of the tree and moves the head. If a check fails, the transaction is rolled back.
 */
import type { CarOptions } from '../../car/decoder.ts';
import { MAX_CAR_SIZE } from '../../car/decoder.ts';
import { readPackedCar } from '../../car/reader.ts';
import type { CarSource } from '../../car/source.ts';
import { toDidKey } from '../../crypto/key-source.ts';
import type { CID } from '../../data/cid.ts';
import { CID_LENGTH, cidEquals } from '../../data/cid.ts';
import type { CidSet } from '../../data/cid-set.ts';
import { RepoError } from '../../errors.ts';
import type { BlobStore, BlockChange, BlockReader } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { Commit } from '../commit.ts';
import type { Head } from '../commits.ts';
import type { ImportOptions, ImportResult, Progress } from '../long-work.ts';
import type { RepoParts } from '../open-parts.ts';
import { partsIn } from '../open-parts.ts';
import { readHead } from '../read/head.ts';
import type { KeepTransition, Transition } from '../read/transition.ts';
import { keepingTransition } from '../read/transition.ts';
import { noRoot, rootMissing } from '../root-commit.ts';
import { acceptCommit } from '../write/accept.ts';
import { assertRequest } from '../write/requests.ts';
import { removeLater } from '../write/reset.ts';
import { setHostHead } from './host-head.ts';
import { checkTree } from './import-tree.ts';
import { listCommit } from './kept-refs.ts';
import { keepLocalWork } from './local-work.ts';
import type { StoredImport } from './past-import.ts';
import { addPastImport, findPastImport } from './past-import.ts';
import { SlowSource } from './slow-source.ts';
import { Staging } from './staging.ts';
import { noteWhole } from './whole-tree.ts';
import { noteCounts } from '../read/collection-counts.ts';

/** Default limit of unreferenced bytes in a CAR, CIDs included. More is treated as an attack. */
export const MAX_UNLINKED: number = 16 * 1024 * 1024;

type Tally = { -readonly [K in keyof Progress]: Progress[K] };

/** A CAR that is being staged. */
interface Reading {
  readonly roots: readonly CID[];
  /** Stages blocks until the end, or until `isEnough`. Returns whether the end is reached. */
  stage(isEnough: () => boolean): Promise<boolean>;
  /** Ends the reading of the source. */
  close(): Promise<void>;
}

const readInto = async (
  staging: Staging,
  source: CarSource,
  options: CarOptions,
  tally: Tally,
  notify: () => void,
): Promise<Reading> => {
  const car = await readPackedCar(source, options);
  const batches = car[Symbol.asyncIterator]();
  return {
    roots: car.roots,
    async stage(isEnough) {
      while (!isEnough()) {
        const { done, value: batch } = await batches.next();
        if (done === true) {
          return true;
        }
        notify();
        await staging.add(batch);
        tally.bytes += batch.size;
        tally.blocks += batch.length;
      }
      return false;
    },
    close: async () => void (await batches.return?.()),
  };
};

/** Limits the bytes that the tree does not reference. */
const assertFewUnlinked = (bytes: number, total: number, most: number): void => {
  if (bytes > most && bytes > 4 * (total - bytes)) {
    throw new RepoError(
      'LimitExceeded',
      `most blocks of the CAR are not part of its tree: raise maxUnlinked to import it; bytes=${bytes} of ${total}`,
    );
  }
};

const countMissing = async (blobs: BlobStore, mentioned: CidSet): Promise<number> => {
  let missing = mentioned.size;
  if (missing === 0) {
    return 0;
  }
  for await (const { cid } of blobs.list()) {
    if (mentioned.has(cid.bytes)) {
      missing -= 1;
    }
  }
  return missing;
};

/** Returns the commit at the root. It may be stored already: a CAR of new blocks since the head has no blocks. */
const requireRoot = async (blocks: BlockReader, roots: readonly CID[]): Promise<{ cid: CID; bytes: Uint8Array }> => {
  const [cid] = roots;
  if (cid === undefined) {
    throw noRoot();
  }
  const bytes = await blocks.get(cid);
  if (bytes === undefined) {
    throw rootMissing(cid);
  }
  return { cid, bytes };
};

/** The result of an import, and the change of the head. */
export interface Imported {
  readonly result: StoredImport;
  /** `undefined` if the head did not change. */
  readonly transition: Transition | undefined;
  /** Whether the rev is not greater than that of the head before. */
  readonly isReset: boolean;
}

/** The result of a dry run of a CAR that lacks blocks. */
const incomplete = (
  head: CID,
  { rev }: Commit,
  before: Head | undefined,
  missing: NonNullable<ImportResult['missing']>,
): StoredImport => {
  const counts = { blocks: 0, created: 0, updated: 0, deleted: 0, unchanged: 0, missingBlobs: 0, faultCount: 0 };
  return { head, rev, previous: before?.cid, ...counts, changes: { first: [], count: 0 }, faults: [], missing };
};

/** Adds the new head to the list of commits. Returns the ref that keeps an old head that is not older. */
const listHead = async (
  change: BlockChange,
  head: Head | undefined,
  { rev }: Commit,
  cid: CID,
): Promise<string | undefined> => {
  const later = head !== undefined && rev < head.rev ? await removeLater(change, rev as Tid, head) : undefined;
  const displaced = await listCommit(change, rev as Tid, cid);
  return later ?? displaced;
};

/** `Repo.importCar`. */
export const importCar = async (parts: RepoParts, source: CarSource, given: ImportOptions = {}): Promise<Imported> => {
  // Checked before anything is read.
  const options = { ...given, key: given.key === undefined ? undefined : toDidKey(given.key, parts.did) };
  const { dryRun, maxBlocks, maxBlockSize, maxSize, maxUnlinked = MAX_UNLINKED, onProgress, request, signal } = options;
  assertRequest(request);
  const tally: Tally = { phase: 'read', bytes: 0, blocks: 0, records: 0 };
  const slow = new SlowSource(source);
  const notify = (): void => {
    signal?.throwIfAborted();
    onProgress?.({ ...tally, bytes: Math.max(tally.bytes, slow.kept) });
  };
  const past = async (change: BlockChange): Promise<Imported | undefined> => {
    const found = request && (await findPastImport(parts, change, request));
    if (found !== undefined) {
      // The import has happened, so the signal is ignored.
      onProgress?.({ ...tally });
    }
    return found && { result: found, transition: undefined, isReset: false };
  };
  const earlier = request?.again === undefined ? undefined : await parts.store.transact(past);
  if (earlier !== undefined) {
    return earlier;
  }
  const { hashAll } = parts;
  const staging = new Staging(source);
  const reading = await readInto(staging, slow, { hashAll, maxSize, maxBlocks, maxBlockSize }, tally, notify);
  let isRead = false;

  let dry: StoredImport | undefined;
  /** Returns the error that rolls back a dry run. */
  const dryRunEnd = (result: StoredImport): RepoError => {
    dry = result;
    return new RepoError('ReadOnly', 'a dry run changes nothing');
  };

  const run = async (change: BlockChange, keep: KeepTransition): Promise<Imported> => {
    const before = await readHead(partsIn(parts, change));
    staging.begin(change);
    if (!isRead) {
      await reading.stage(() => false);
    }
    await staging.end();
    const { cid, bytes } = await requireRoot(staging, reading.roots);
    const commit = acceptCommit(parts.did, cid, bytes, before, options, parts.verifySignature);
    const isNew = !cidEquals(before?.cid, cid);

    tally.phase = 'verify';
    notify();
    staging.link(cid.bytes);
    const onRecords = async (count: number): Promise<void> => {
      tally.records += count;
      notify();
      await parts.yieldToEvents();
    };
    const tree = await checkTree({ parts, change, staging, options, onRecords }, before, commit.data);
    if ('missing' in tree) {
      throw dryRun === true ? dryRunEnd(incomplete(cid, commit, before, tree.missing)) : tree.error;
    }
    const { changes, created, deleted, leaves, malformed, mentioned, updated, base, counted } = tree;
    const [fault] = malformed.items;
    if (options.records === 'reject' && fault !== undefined) {
      throw new RepoError('InvalidRecord', fault.message);
    }

    tally.phase = 'write';
    notify();
    const kept = before && isNew ? await keepLocalWork(change, staging, before, commit.data) : undefined;
    const added = await staging.flush((unlinked) =>
      assertFewUnlinked(unlinked, tally.bytes + tally.blocks * CID_LENGTH, maxUnlinked),
    );
    const missingBlobs = await countMissing(parts.blobs, mentioned);
    const replaced = await listHead(change, before, commit, cid);
    const result: StoredImport = {
      head: cid,
      rev: commit.rev,
      previous: before?.cid,
      blocks: added,
      created,
      updated,
      deleted,
      unchanged: leaves - created - updated,
      changes: {
        first: changes.items,
        count: changes.count,
        from: base,
        to: dryRun === true ? undefined : commit.data,
      },
      missingBlobs,
      faults: malformed.items,
      faultCount: malformed.count,
      ...(kept === undefined ? {} : { kept }),
      ...(replaced === undefined ? {} : { replaced }),
    };
    if (dryRun === true) {
      throw dryRunEnd(result);
    }
    const made = { cid, rev: commit.rev, data: commit.data };
    await setHostHead(parts, change, made, { isJump: isNew, didKey: options.key, meta: options.meta });
    await noteWhole(change, { data: commit.data, leaves });
    await noteCounts(change, counted);
    await addPastImport(change, request, result);
    const isReset = isNew && before !== undefined && commit.rev <= before.rev;
    return { result, transition: isNew ? keep(base, commit.data) : undefined, isReset };
  };

  try {
    // The source is read before the change begins, so that a slow one does not delay other writes.
    isRead = await reading.stage(() => staging.isFull);
    if (!isRead) {
      await slow.keep(parts.blobs, maxSize ?? MAX_CAR_SIZE, notify);
    }
    const imported = await keepingTransition(parts.pins, (keep) =>
      parts.store.transact(async (change) => (await past(change)) ?? run(change, keep)),
    );
    if (imported.isReset) {
      parts.clock.rewind();
    }
    return imported;
  } catch (error) {
    if (dry === undefined) {
      throw error;
    }
    return { result: dry, transition: undefined, isReset: false };
  } finally {
    await reading.close();
    await slow.close();
  }
};
