/** One client's wish to hear of new heads. */
import type { HeadChange, Repo } from '../../core/repo/repo.ts';
import { missedChanges } from './missed-changes.ts';

export interface Subscription {
  /** See `ServerMethods.subscribe`. */
  start(known: string | null | undefined): Promise<string | undefined>;
  stop(): void;
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
