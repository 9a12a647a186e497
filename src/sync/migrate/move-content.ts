/** Brings the records and the blobs of a copy to a new host. */
import { parseCid } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { withRetries } from '../http/retry.ts';
import type { Session } from '../http/xrpc.ts';
import { callXrpc } from '../http/xrpc.ts';
import { uploadBlob } from '../outbox/upload-blobs.ts';

/** Most blobs in a page of `listMissingBlobs`. */
const PAGE = 500;

/** What the new host says about the account. */
export interface AccountState {
  readonly activated: boolean;
  /** The CID of its head. */
  readonly repoCommit: string;
}

export const accountState = async (session: Session, signal?: AbortSignal): Promise<AccountState> => {
  const nsid = 'com.atproto.server.checkAccountStatus';
  const found = ((await callXrpc(session, nsid, { signal })) ?? {}) as Partial<AccountState>;
  if (typeof found.activated !== 'boolean' || typeof found.repoCommit !== 'string') {
    throw new RepoError(
      'HostFailed',
      `the host did not return the state of the account: try again later; method=${nsid}`,
    );
  }
  return { activated: found.activated, repoCommit: found.repoCommit };
};

/** Imports the head of the copy at the host, unless the host has it. */
export const importAtHost = async (repo: Repo, to: Session, signal?: AbortSignal): Promise<void> => {
  const head = await repo.head();
  if (head === undefined) {
    throw new RepoError('HeadNotFound', `the copy has no commit: pull first; did=${repo.did}`);
  }
  if ((await accountState(to, signal)).repoCommit === head.cid.toString()) {
    return;
  }
  // Hosts read the records from the CAR alone, so it is whole. A page cannot send a stream.
  const car = await new Response(repo.exportCar({ at: head.cid })).blob();
  const type = 'application/vnd.ipld.car';
  await callXrpc(to, 'com.atproto.repo.importRepo', { input: car, type, signal });
};

/** A page of what the host lacks. */
interface MissingPage {
  readonly cursor?: string;
  readonly blobs?: readonly { readonly cid: string; readonly recordUri: string }[];
}

/** Returns the CIDs of the blobs that the host lacks. */
export const missingAtHost = async (to: Session, signal?: AbortSignal): Promise<string[]> => {
  const missing = new Set<string>();
  for (let cursor: string | undefined; ; ) {
    const params = { limit: PAGE, cursor };
    const page = ((await callXrpc(to, 'com.atproto.repo.listMissingBlobs', { params, signal })) ?? {}) as MissingPage;
    for (const { cid } of page.blobs ?? []) {
      missing.add(cid);
    }
    if (page.cursor === undefined || (page.blobs ?? []).length === 0) {
      return [...missing];
    }
    cursor = page.cursor;
  }
};

/** Uploads the blobs that the host lacks and the copy has. Returns the number of uploads. */
export const uploadMissing = async (
  repo: Repo,
  to: Session,
  onBlob: (done: number, total: number) => void,
  signal?: AbortSignal,
): Promise<number> => {
  const missing = await missingAtHost(to, signal);
  let done = 0;
  for (const text of missing) {
    const cid = parseCid(text);
    const blob = await repo.getBlob(cid);
    if (blob !== undefined) {
      await withRetries(() => uploadBlob(blob, { cid, mimeType: blob.type }, { session: to, signal }), { signal });
      done += 1;
      onBlob(done, missing.length);
    }
  }
  return done;
};
