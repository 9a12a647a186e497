/** The new heads of a repository, for one client. */
import type { CID } from '../../core/data/cid.ts';
import { cidEquals } from '../../core/data/cid.ts';
import type { Head, HeadChange, Repo } from '../../core/repo/repo.ts';

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

export class Subscription {
  readonly #repo: Repo;
  readonly #tell: (change: HeadChange) => void;
  #stop = (): void => {};

  constructor(repo: Repo, tell: (change: HeadChange) => void) {
    this.#repo = repo;
    this.#tell = tell;
  }

  /** See `ServerMethods.subscribe`. */
  async start(known: string | null | undefined): Promise<string | undefined> {
    this.#stop();
    // What is written while the client hears of what it missed is in the history too, and waits its turn.
    let waiting: HeadChange[] | undefined = known === undefined ? undefined : [];
    this.#stop = this.#repo.onChange((change) => (waiting === undefined ? this.#tell(change) : waiting.push(change)));
    const rev = (await this.#repo.head())?.rev;
    if (known !== undefined) {
      let last = known ?? '';
      for await (const change of missedChanges(this.#repo, known ?? undefined)) {
        this.#tell(change);
        last = change.rev;
      }
      waiting?.filter((change) => change.rev > last || change.reset === true).forEach(this.#tell);
      waiting = undefined;
    }
    return rev;
  }

  stop(): void {
    this.#stop();
    this.#stop = () => {};
  }
}
