/** The heads that a client has not heard of, because nobody was there to tell. */
import type { Head, HeadChange, Repo } from '../../core/repo/repo.ts';

const changeTo = async (repo: Repo, before: Head | undefined, { cid, rev }: Head): Promise<HeadChange> => {
  const paths: Record<'create' | 'delete' | 'update', string[]> = { create: [], delete: [], update: [] };
  for await (const { action, collection, rkey } of repo.diff(before?.cid, cid)) {
    paths[action].push(`${collection}/${rkey}`);
  }
  return { cid, rev, created: paths.create, updated: paths.update, deleted: paths.delete };
};

/**
 * The changes since the head with the rev `known` (`undefined`: since there was none), oldest first, up to the head of
 * now. Where the history does not go back so far, the first change is told as if all of its records were new.
 */
export async function* missedChanges(repo: Repo, known: string | undefined): AsyncGenerator<HeadChange> {
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
