/** Listeners for new heads. */
import { reportError, reportingErrors } from '../../data/report-error.ts';
import { isRepoError } from '../../errors.ts';
import { diffTrees } from '../../mst/diff.ts';
import type { NodeReader } from '../../mst/node-reader.ts';
import type { CommitRef, HeadChange, RecordChange } from '../repo.ts';
import type { Transition } from './transition.ts';

/** The changes that a head brings: a list, two trees to compare, or `undefined` if they are unknown. */
export type Changes = readonly RecordChange[] | Transition | undefined;

export interface Listeners {
  add(listener: (change: HeadChange) => void): () => void;
  /**
   * Notifies listeners of a durable head. Compares two trees only if there is a listener. Never rejects, because the
   * write has succeeded.
   */
  notify(commit: CommitRef, changes: Changes, reset?: boolean): Promise<void>;
}

type Paths = Omit<HeadChange, keyof CommitRef | 'reset'>;

const pathsOf = (changes: readonly RecordChange[], action: RecordChange['action']): string[] =>
  changes.filter((change) => change.action === action).map(({ collection, rkey }) => `${collection}/${rkey}`);

const UNKNOWN: Paths = { created: [], updated: [], deleted: [], incomplete: true };

const differenceOf = async (nodes: NodeReader, { before, after }: Transition): Promise<Paths> => {
  const [created, updated, deleted]: [string[], string[], string[]] = [[], [], []];
  for await (const { key, from, to } of diffTrees(nodes, before, after)) {
    (from === undefined ? created : to === undefined ? deleted : updated).push(key);
  }
  return { created, updated, deleted };
};

const isTransition = (changes: Changes): changes is Transition => changes !== undefined && 'after' in changes;

/**
 * @param isOnlyOwner Whether nobody else removes blocks. Otherwise the changes are unknown if a block is missing, or if
 *   the connection to the storage is.
 */
export const createListeners = (nodes: NodeReader, isOnlyOwner: boolean): Listeners => {
  const listeners = new Set<(change: HeadChange) => void>();
  // One after the other, so that a slow diff does not reorder heads.
  let last: Promise<void> = Promise.resolve();

  const pathsIn = async (changes: Changes): Promise<Paths> => {
    if (changes === undefined) {
      return UNKNOWN;
    }
    if (!isTransition(changes)) {
      return {
        created: pathsOf(changes, 'create'),
        updated: pathsOf(changes, 'update'),
        deleted: pathsOf(changes, 'delete'),
      };
    }
    try {
      return await differenceOf(nodes, changes);
    } catch (error) {
      if (!isOnlyOwner && (isRepoError(error, 'BlockNotFound') || isRepoError(error, 'StorageFailed'))) {
        return UNKNOWN;
      }
      throw error;
    }
  };

  const callAll = async (commit: CommitRef, changes: Changes, reset: boolean): Promise<void> => {
    let paths: Paths;
    try {
      paths = await pathsIn(changes);
    } catch (error) {
      // A repository that was closed meanwhile notifies no listener.
      if (!isRepoError(error, 'Closed')) {
        reportError(error);
      }
      return;
    }
    const change: HeadChange = { cid: commit.cid, rev: commit.rev, ...paths, ...(reset ? { reset } : {}) };
    listeners.forEach((listener) => listener(change));
  };

  return {
    add(listener) {
      // A wrapper per call, because the same function may be added twice and removed once.
      // The write has succeeded, so an error of a listener does not reach it.
      const own = reportingErrors(listener);
      listeners.add(own);
      return () => {
        listeners.delete(own);
      };
    },
    notify(commit, changes, reset = false) {
      const release = isTransition(changes) ? changes.release : undefined;
      if (listeners.size === 0) {
        release?.();
        return last;
      }
      last = last.then(() => callAll(commit, changes, reset)).finally(release);
      return last;
    },
  };
};
