/** Counts of a repository. */
import type { RepoInfo } from '../repo.ts';
import type { RepoParts } from '../open-parts.ts';
import { withHead } from './head-view.ts';
import { listCollections } from './collection-counts.ts';

/** `Repo.info`. */
export const repoInfo = async (parts: RepoParts): Promise<RepoInfo> => {
  const { did, blobs, store } = parts;
  const [head, collections] = await withHead(
    parts,
    async (view, current) => [current, await listCollections(parts, view)] as const,
  );
  let commits = 0;
  for await (const _ of store.commits()) {
    commits += 1;
  }
  let storedBlobs = 0;
  for await (const _ of blobs.list()) {
    storedBlobs += 1;
  }
  return {
    did,
    head: head?.cid,
    rev: head?.rev,
    data: head?.data,
    signed: head?.signed ?? false,
    commits,
    records: collections.reduce((sum, { count }) => sum + count, 0),
    blocks: await store.count(),
    blobs: storedBlobs,
    collections,
    ...(await store.maintenance?.space?.()),
  };
};
