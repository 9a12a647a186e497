/** What a repository promises to keep, in a form that can be compared. */
import { cidToText } from '../../src/core/data/cid.ts';
import type { Repo } from '../../src/core/repo/repo.ts';

export interface RepoState {
  /** Whether there is a repository. */
  readonly exists: boolean;
  /**
   * Refs, the head among them, and the history with its messages. A commit names all of its records by their hashes.
   */
  readonly text: string;
  /** CIDs of the blobs, with their types. */
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
