/** Prints the result of a pull: what has changed, and what to run next. */
import type { FetchedBlobs, PullResult } from '../../sync.ts';
import { withoutPassword } from '../terminal/postgres-url.ts';
import { printOne, warn } from '../terminal/print.ts';
import { Reported } from '../terminal/reported.ts';
import type { Context } from '../terminal/shell.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { warnOfMore } from '../terminal/warn-of-more.ts';

/** Most failed blobs that are listed. */
const MAX_LISTED = 10;

const REASONS: Readonly<Record<string, string>> = {
  RepoDeactivated: 'its owner has deactivated it. Pull again later',
  RepoSuspended: 'the host has suspended it. Pull again later',
  RepoTakendown: 'the host has taken it down. Pull again later',
};

/** Returns the JSON of fetched blobs. */
export const blobsToJson = ({ fetched, bytes, failed, stopped }: FetchedBlobs): object => ({
  fetched,
  bytes,
  failed: failed.map(({ cid, uri, error }) => ({
    cid: cid.toString(),
    uri,
    error: error.code,
    message: error.message,
  })),
  ...(stopped === undefined ? {} : { stopped: { error: stopped.code, message: stopped.message } }),
});

/** Warns of blobs that were not fetched. */
export const warnOfBlobs = async (context: Context, { failed }: FetchedBlobs): Promise<void> => {
  for (const { cid, uri, error } of failed.slice(0, MAX_LISTED)) {
    await warn(context, `the blob was not fetched: ${error.message}; cid=${cid} record=${uri}`);
  }
  await warnOfMore(context, failed.length - MAX_LISTED);
};

const toJson = (did: string, result: PullResult): object => {
  const { status, reason, from, to, host, created, updated, deleted, kept, blobs } = result;
  const commit = (ref: PullResult['from']) => (ref === undefined ? null : { cid: ref.cid.toString(), rev: ref.rev });
  return {
    did,
    status,
    ...(reason === undefined ? {} : { reason }),
    from: commit(from),
    to: commit(to),
    host: host ?? null,
    created,
    updated,
    deleted,
    ...(kept === undefined ? {} : { kept }),
    blobs: blobsToJson(blobs),
  };
};

/** Returns why the copy does not have the host's head now, and what to do. `undefined` if it has. */
const failureOf = (name: string, { status, reason, from, to, host }: PullResult): string | undefined => {
  const isUnmoved = from?.cid.toString() === to?.cid.toString();
  if (status === 'inactive') {
    return `The account is inactive, so nothing has changed: ${REASONS[reason ?? ''] ?? reason}.`;
  }
  if (status === 'waiting') {
    return (
      "The host's head is signed with an earlier key of the account, as after a migration, so nothing has changed. " +
      "Pull again after the account's next write."
    );
  }
  if (status === 'rolledBack' && isUnmoved) {
    return (
      `The host has an older head, or another commit with the same rev, so nothing has changed; rev=${host?.rev}. ` +
      `To follow the host, run: pdsdb pull ${name} --rollback. A ref keeps the head that you have.`
    );
  }
  return undefined;
};

/**
 * Prints the result.
 * @throws {Reported} if the copy does not have the host's head now, or the host stopped sending blobs.
 */
export const printPull = async (
  context: Context,
  copy: { readonly did: string; readonly directory: string },
  result: PullResult,
): Promise<void> => {
  const name = shellWord(copy.directory);
  const { status, to, created, updated, deleted, kept, blobs } = result;
  await printOne(context, toJson(copy.did, result), [
    ['did', copy.did],
    ['repository', withoutPassword(copy.directory)],
    ['status', status],
    ['head', to?.cid.toString() ?? 'none yet'],
    ['rev', to?.rev],
    ['created', created],
    ['updated', updated],
    ['deleted', deleted],
    ['fetched blobs', blobs.fetched],
    ['failed blobs', blobs.failed.length > 0 ? blobs.failed.length : undefined],
  ]);
  if (kept !== undefined) {
    const changes = kept.paths.length === 1 ? '1 local change is' : `${kept.paths.length} local changes are`;
    await warn(
      context,
      `${changes} not at the host. The ref ${kept.ref} keeps the old head. To see the changes, run: pdsdb diff ${name} main ${kept.ref}`,
    );
  }
  await warnOfBlobs(context, blobs);
  const failure =
    failureOf(name, result) ??
    (blobs.stopped === undefined
      ? undefined
      : `The host stopped sending blobs. To continue, run: pdsdb blob fetch ${name}. ${blobs.stopped.message}`);
  if (failure !== undefined) {
    throw new Reported(failure);
  }
};
