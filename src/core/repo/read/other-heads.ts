/** Tells listeners of heads that another owner of the same store has made. */
import type { CID } from '../../data/cid.ts';
import { listOf } from '../../data/list-of.ts';
import { reportError } from '../../data/report-error.ts';
import type { RepoErrorCode } from '../../errors.ts';
import { isRepoError } from '../../errors.ts';
import { ChangeQueue } from '../../storage/change-queue.ts';
import type { RepoParts } from '../open-parts.ts';
import { diffStates } from './diff-states.ts';
import { readCommit } from './head.ts';

/** A head of another owner, and the one before it. */
export interface HeadMove {
  readonly before: CID | undefined;
  readonly after: CID;
}

/** Calls `onMove` after each head that another owner has made. Returns a function that ends this. */
export type OtherHeads = (onMove: (move: HeadMove) => void) => () => void;

/** A commit by its CID is `RefNotFound` if its block is missing. */
const REMOVED: readonly RepoErrorCode[] = ['BlockNotFound', 'RefNotFound'];
const EXPECTED: readonly RepoErrorCode[] = [...REMOVED, 'Closed', 'StorageFailed'];

/** Returns what `read` returns, or `undefined` if `gc` of another owner has removed blocks that it needs. */
const unlessRemoved = async <T>(read: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await read();
  } catch (error) {
    if (!isRepoError(error) || !REMOVED.includes(error.code)) {
      throw error;
    }
    return undefined;
  }
};

/**
 * Notifies the listeners of a repository of the heads of others, in order. After a head that could not be read, the
 * next one is announced without its changes. Returns a function that ends this.
 */
export const notifyOfOtherHeads = (parts: RepoParts, subscribe: OtherHeads): (() => void) => {
  const queue = new ChangeQueue();
  /** Whether the listeners lack a head. */
  let isBehind = false;
  const notify = async ({ before, after }: HeadMove): Promise<void> => {
    const wasBehind = isBehind;
    // Until this head is announced. A head that has been removed has a successor, which is announced too.
    isBehind = true;
    const { rev } = await readCommit(parts.store, after);
    const old = before && (await unlessRemoved(() => readCommit(parts.store, before)));
    const isKnown = !wasBehind && (before === undefined || old !== undefined);
    const changes = isKnown ? await unlessRemoved(() => listOf(diffStates(parts, before, after))) : undefined;
    await parts.listeners.notify({ cid: after, rev }, changes, old !== undefined && rev <= old.rev);
    isBehind = false;
  };
  return subscribe((move) => {
    queue
      .run(() => notify(move))
      .catch((error: unknown) => {
        // The blocks may have been removed, the connection may be lost, or this repository may have been closed.
        if (!isRepoError(error) || !EXPECTED.includes(error.code)) {
          reportError(error);
        }
      });
  });
};
