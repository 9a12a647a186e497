/** The newest commit that a host has. */
import type { RepoErrorCode } from '../../core/errors.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { callXrpc } from '../http/xrpc.ts';
import type { Host } from './host.ts';

/** The head of a host, as it says itself. After an import at the host, its rev is not that of the commit. */
export interface HostHead {
  readonly cid: string;
  readonly rev: string;
}

const INACTIVE: readonly RepoErrorCode[] = ['RepoDeactivated', 'RepoSuspended', 'RepoTakendown'];

/** Whether an error says that the account is inactive. */
export const isInactive = (error: unknown): error is RepoError => INACTIVE.some((code) => isRepoError(error, code));

/** Whether an error may mean that the account has left the host since it was looked up. */
export const mayHaveMoved = (error: unknown): boolean =>
  // A host that an account has left says that it is deactivated.
  isInactive(error) || isRepoError(error, 'RepoNotFound') || isRepoError(error, 'HostUnreachable');

/**
 * Returns the host's head.
 * @throws {RepoError} `RepoNotFound`, `RepoDeactivated`, `RepoSuspended`, `RepoTakendown`; `HostFailed` when it is not
 *   a head; the errors of a call.
 */
export const latestCommit = async ({ session, did, signal }: Host): Promise<HostHead> => {
  const nsid = 'com.atproto.sync.getLatestCommit';
  const head = (await callXrpc(session, nsid, { params: { did }, signal })) as Partial<HostHead> | null | undefined;
  if (typeof head?.cid !== 'string' || typeof head.rev !== 'string') {
    throw new RepoError(
      'HostFailed',
      `the host did not return a head: check that it is a PDS; method=${nsid} did=${did}`,
    );
  }
  return { cid: head.cid, rev: head.rev };
};
