/** Tells listeners of heads that another owner of the same store has made. */
import type { CID } from '../../data/cid.ts';
import { reportError } from '../../data/report-error.ts';
import { isRepoError } from '../../errors.ts';
import { ChangeQueue } from '../../storage/change-queue.ts';
import type { RepoParts } from '../open-parts.ts';
import type { RecordChange } from '../repo.ts';
import { diffStates } from './diff-states.ts';
import { readCommit } from './head.ts';

/** A head of another owner, and the one before it. */
export interface HeadMove {
  readonly before: CID | undefined;
  readonly after: CID;
}

/** Calls `onMove` after each head that another owner has made. Returns a function that ends this. */
export type OtherHeads = (onMove: (move: HeadMove) => void) => () => void;

/** Notifies the listeners of a repository of the heads of others, in order. Returns a function that ends this. */
export const notifyOfOtherHeads = (parts: RepoParts, subscribe: OtherHeads): (() => void) => {
  const queue = new ChangeQueue();
  const notify = async ({ before, after }: HeadMove): Promise<void> => {
    const { rev } = await readCommit(parts.store, after);
    const isReset = before !== undefined && rev <= (await readCommit(parts.store, before)).rev;
    const changes: RecordChange[] = [];
    for await (const change of diffStates(parts, before, after)) {
      changes.push(change);
    }
    await parts.listeners.notify({ cid: after, rev }, changes, isReset);
  };
  return subscribe((move) => {
    queue
      .run(() => notify(move))
      .catch((error: unknown) => {
        // `gc` of another owner may have removed the head before, and this repository may have been closed.
        if (!isRepoError(error, 'BlockNotFound') && !isRepoError(error, 'Closed')) {
          reportError(error);
        }
      });
  });
};
