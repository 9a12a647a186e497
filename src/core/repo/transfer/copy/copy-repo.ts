/** `copyRepo`: copies a whole repository from one store to another. */
import type { CID } from '../../../data/cid.ts';
import { isRepoError, RepoError } from '../../../errors.ts';
import type { BlockChange } from '../../../storage/ports.ts';
import { readEpoch } from '../../care/epoch.ts';
import type { LongWork, Progress } from '../../long-work.ts';
import type { RepoParts } from '../../open-parts.ts';
import { keepingTransition } from '../../read/transition.ts';
import { changedMeanwhile, readOnlyError } from '../../read-only.ts';
import { accessOf } from '../../repo-access.ts';
import type { Repo } from '../../repo.ts';
import { WITH_ALL_BLOBS } from '../../store-names.ts';
import { forgetState } from '../../stores.ts';
import { copyBlobs } from './copy-blobs.ts';
import type { FoundBlocks } from './copy-blocks.ts';
import { copyBlocks, findBlocks } from './copy-blocks.ts';
import { assertEmpty, assertOnlyBlobsOf } from './empty-target.ts';
import type { SourceState } from './source-state.ts';
import { pinSourceState } from './source-state.ts';

export interface CopyOptions extends LongWork {
  /** Whether to copy the blobs. Default: `true`. Without them, `missingBlobs` lists them in the target. */
  readonly blobs?: boolean | undefined;
}

/** What the target has after a copy. */
export interface CopyResult {
  /** The head, or `undefined` before the first commit. */
  readonly head: CID | undefined;
  readonly rev: string | undefined;
  /** Number of records of the head. */
  readonly records: number;
  /** Number of commits of the local history. */
  readonly commits: number;
  /** Number of refs, with that of the head. */
  readonly refs: number;
  /** Number of blocks. Blocks that nothing reaches are not copied. */
  readonly blocks: number;
  readonly blobs: number;
  /** The bytes of the blocks, and of the blobs that the target did not have. */
  readonly bytes: number;
}

/** A typical block is a short record or a node, in bytes. Decides only how SQLite writes. */
const TYPICAL_BLOCK = 300;

type Tally = { -readonly [K in keyof Progress]: Progress[K] };

/** A copy that is running. */
interface Copying {
  readonly from: RepoParts;
  readonly to: RepoParts;
  readonly state: SourceState;
  readonly tally: Tally;
  readonly signal: AbortSignal | undefined;
  notify(): void;
}

const writeNames = async (change: BlockChange, { refs, meta, commits }: SourceState, lacksBlobs: boolean) => {
  for (const [name, cid] of refs) {
    await change.setRef(name, cid);
  }
  for (const [name, value] of meta) {
    if (!lacksBlobs || name !== WITH_ALL_BLOBS) {
      await change.setMeta(name, value);
    }
  }
  for (const [rev, cid] of commits) {
    await change.addCommit(rev, cid);
  }
};

/** Makes the state visible in the target: blocks and names, in one change. */
const writeState = async (
  { from, to, state, tally, notify }: Copying,
  found: FoundBlocks,
  lacksBlobs: boolean,
): Promise<void> => {
  const { head } = state;
  const transition = await keepingTransition(to.pins, (keep) =>
    to.store.transact(async (change) => {
      // Again, because another owner may have written meanwhile.
      await assertEmpty(change, to.did);
      await change.maintenance?.expect(found.cids.size * TYPICAL_BLOCK);
      await copyBlocks(from, found, change, (blocks, bytes) => {
        tally.blocks += blocks;
        tally.bytes += bytes;
        notify();
      });
      await writeNames(change, state, lacksBlobs);
      notify();
      return head && keep(undefined, head.data);
    }),
  );
  forgetState(to);
  if (head !== undefined && transition !== undefined) {
    await to.listeners.notify(head, transition);
  }
};

const copyState = async (copying: Copying, withBlobs: boolean): Promise<CopyResult> => {
  const { from, to, state, tally, signal, notify } = copying;
  const { head, refs, commits, blobs } = state;
  await assertEmpty(to.store, to.did);
  let stored = await assertOnlyBlobsOf(blobs, to.blobs, to.did);
  const found = await findBlocks(from, state, notify);
  tally.records = found.records;
  tally.phase = 'write';
  notify();
  if (withBlobs) {
    // Before the head that mentions them, and before the change, because they take long.
    const onBytes = (length: number): void => {
      tally.bytes += length;
      notify();
    };
    await copyBlobs(from, to, blobs, { signal, onBytes });
    stored = blobs.size;
  }
  await writeState(copying, found, stored < blobs.size);
  const { records, blocks, bytes } = tally;
  const counts = { records, commits: commits.length, refs: refs.length, blocks, blobs: stored, bytes };
  return { head: head?.cid, rev: head?.rev, ...counts };
};

/**
 * Copies a whole repository into a new one in another store: the head, the local history with its messages, refs,
 * branches, local work, blobs with their MIME types, and the values of `Repo.meta`. Each may be in a folder, in
 * PostgreSQL, or in memory; the source may also be a CAR that `openCar` opened. The hash of each block and blob is
 * checked. Signatures and records are not: see `verify`.
 *
 * The copy is of one state of the source, which can be written to meanwhile. Blobs are stored first. Then blocks and
 * names become visible in one change. If the copy fails, the target has no commit, and can be copied to again. Blobs
 * that it has then are not copied again.
 *
 * @example
 * ```ts
 * import { copyRepo } from 'pdsdb';
 * import { openRepo } from 'pdsdb/node';
 * import { openPostgres } from 'pdsdb/postgres';
 *
 * await using accounts = await openPostgres('postgres://service@localhost/accounts');
 * await using from = await openRepo('alice', { readOnly: true });
 * await using to = await accounts.createRepo({ did: from.did });
 * const { head, blocks, blobs } = await copyRepo(from, to);
 * console.log(`${head}: ${blocks} blocks, ${blobs} blobs`);
 * ```
 * @throws {RepoError} `RepoExists` if the target is not empty; `WrongDid` if it is of another account; `ReadOnly` if it
 *   is open for reading; `Unsupported` for a repository of a browser; `BlockNotFound`,
 *   `BlobNotFound`, `Corrupt` if the source is damaged; `Locked` if another process removed blocks of the source
 *   meanwhile; `StorageFull`, `StorageFailed`.
 */
export const copyRepo = async (from: Repo, to: Repo, options: CopyOptions = {}): Promise<CopyResult> => {
  const { blobs = true, onProgress, signal } = options;
  const [source, target] = [accessOf(from), accessOf(to)];
  if (target.readOnly !== undefined) {
    throw readOnlyError();
  }
  if (from.did !== to.did) {
    throw new RepoError(
      'WrongDid',
      `the target is of another account: create a repository for the account of the source; ` +
        `expected=${from.did} found=${to.did}`,
    );
  }
  signal?.throwIfAborted();
  const tally: Tally = { phase: 'read', bytes: 0, blocks: 0, records: 0 };
  const notify = (): void => {
    signal?.throwIfAborted();
    onProgress?.({ ...tally });
  };
  const parts = source.parts();
  const state = await pinSourceState(source);
  try {
    return await copyState({ from: parts, to: target.parts(), state, tally, signal, notify }, blobs);
  } catch (error) {
    const isMissing = isRepoError(error, 'BlockNotFound') || isRepoError(error, 'BlobNotFound');
    // The pins keep blocks from `gc` of this process only.
    throw isMissing && (await readEpoch(parts.store)) !== state.epoch ? changedMeanwhile(error) : error;
  } finally {
    state.release();
  }
};
