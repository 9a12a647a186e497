/** One client's wish to hear of new heads. */
import type { Head, HeadChange, Repo } from '../../core/repo/repo.ts';

export interface Subscription {
  /** See `ServerMethods.subscribe`. */
  start(known: string | null | undefined): Promise<string | undefined>;
  stop(): void;
}

const changeTo = async (repo: Repo, before: Head | undefined, { cid, rev }: Head): Promise<HeadChange> => {
  const paths: Record<'create' | 'delete' | 'update', string[]> = { create: [], delete: [], update: [] };
  for await (const { action, collection, rkey } of repo.diff(before?.cid, cid)) {
    paths[action].push(`${collection}/${rkey}`);
  }
  return { cid, rev, created: paths.create, updated: paths.update, deleted: paths.delete };
};

/**
 * Yields the changes since the head with the rev `known`, oldest first, up to the current head. `undefined` means since
 * before the first commit. If the history does not go back to `known`, all records of the first change are new.
 */
async function* missedChanges(repo: Repo, known: string | undefined): AsyncGenerator<HeadChange> {
  const missed: Head[] = [];
  let before: Head | undefined;
  for await (const entry of repo.log()) {
    if (known !== undefined && entry.rev <= known) {
      before = entry;
      break;
    }
    missed.push(entry);
  }
  for (const head of missed.reverse()) {
    yield await changeTo(repo, before, head);
    before = head;
  }
}

export const createSubscription = (repo: Repo, tell: (change: HeadChange) => void): Subscription => {
  let stop = (): void => {};
  return {
    async start(known) {
      stop();
      let waiting: HeadChange[] | undefined = known === undefined ? undefined : [];
      stop = repo.onChange((change) => (waiting === undefined ? tell(change) : waiting.push(change)));
      const rev = (await repo.head())?.rev;
      if (known === undefined) {
        return rev;
      }
      // What is written meanwhile is in the history too, and waits its turn.
      let last = known ?? '';
      for await (const change of missedChanges(repo, known ?? undefined)) {
        tell(change);
        last = change.rev;
      }
      for (const change of waiting ?? []) {
        if (change.rev > last) {
          tell(change);
        }
      }
      waiting = undefined;
      return rev;
    },
    stop() {
      stop();
      stop = () => {};
    },
  };
};
