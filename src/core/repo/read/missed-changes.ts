/** New heads for a listener that was away: those that it missed, and then each later one. */
import type { CID } from '../../data/cid.ts';
import { cidEquals } from '../../data/cid.ts';
import type { Head, HeadChange, Repo } from '../repo.ts';

const changeTo = async (repo: Repo, before: CID | undefined, { cid, rev }: Head): Promise<HeadChange> => {
  const paths: Record<'create' | 'delete' | 'update', string[]> = { create: [], delete: [], update: [] };
  for await (const { action, collection, rkey } of repo.diff(before, cid)) {
    paths[action].push(`${collection}/${rkey}`);
  }
  return { cid, rev, created: paths.create, updated: paths.update, deleted: paths.delete };
};

const headAt = async (repo: Repo, cid: CID): Promise<Head | undefined> => {
  for await (const entry of repo.log()) {
    if (cidEquals(entry.cid, cid)) {
      return entry;
    }
  }
  return undefined;
};

/**
 * The changes since the head with the rev `known` (`undefined`: since the empty repository), oldest first, up to the
 * head of now. Where the history does not go back so far, all records of the first change are new.
 */
async function* missedChanges(repo: Repo, known: string | undefined): AsyncGenerator<HeadChange> {
  const missed: Head[] = [];
  let before: CID | undefined;
  let isListed = false;
  for await (const entry of repo.log()) {
    if (known !== undefined && entry.rev <= known) {
      before = entry.cid;
      isListed = entry.rev === known;
      break;
    }
    missed.push(entry);
  }
  // A reset took the known head from the history, and keeps it by a ref.
  const old = known === undefined || isListed ? undefined : (await repo.refs()).get(`local-${known}`);
  if (old !== undefined) {
    const head = before === undefined ? undefined : await headAt(repo, before);
    if (head !== undefined) {
      yield { ...(await changeTo(repo, old, head)), reset: true };
    } else {
      before = old;
    }
  }
  for (const head of missed.reverse()) {
    yield await changeTo(repo, before, head);
    before = head.cid;
  }
}

/**
 * Calls `listener` after each new head. If the rev of a head that it knows is given (`null` for no head), first calls
 * it with each head since then. Returns a function that removes it, and the rev of the head at that time.
 */
export const listenSince = (
  repo: Repo,
  known: string | null | undefined,
  listener: (change: HeadChange) => void,
): { readonly stop: () => void; readonly rev: Promise<string | undefined> } => {
  // What is written while the listener hears of what it missed is in the history too, and waits its turn.
  let waiting: HeadChange[] | undefined = known === undefined ? undefined : [];
  const stop = repo.onChange((change) => (waiting === undefined ? listener(change) : waiting.push(change)));
  const start = async (): Promise<string | undefined> => {
    const rev = (await repo.head())?.rev;
    let last = known ?? '';
    for await (const change of known === undefined ? [] : missedChanges(repo, known ?? undefined)) {
      listener(change);
      last = change.rev;
    }
    waiting?.filter((change) => change.rev > last || change.reset === true).forEach(listener);
    waiting = undefined;
    return rev;
  };
  return { stop, rev: start() };
};
