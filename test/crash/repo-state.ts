/** The durable state of a repository, in a form that can be compared. */
import { cidToText } from '../../src/core/data/cid.ts';
import type { Repo } from '../../src/core/repo/repo.ts';

export interface RepoState {
  /** Whether the repository exists. */
  readonly exists: boolean;
  /**
   * The refs, including the head, and the history with its messages. A commit covers all of its records by their
   * hashes.
   */
  readonly text: string;
  /** The CIDs of the blobs, with their types. */
  readonly blobs: ReadonlyMap<string, string | undefined>;
}

export const NOTHING: RepoState = { exists: false, text: '', blobs: new Map() };

export const readState = async (repo: Repo): Promise<RepoState> => {
  const lines: string[] = [];
  for (const [name, cid] of await repo.refs()) {
    lines.push(`${name} ${cidToText(cid)}`);
  }
  for await (const { cid, message } of repo.log()) {
    lines.push(`${cidToText(cid)} ${message ?? ''}`);
  }
  const blobs = new Map<string, string | undefined>();
  for await (const { cid, mimeType } of repo.blobs()) {
    blobs.set(cidToText(cid), mimeType);
  }
  return { exists: true, text: lines.join('\n'), blobs };
};
