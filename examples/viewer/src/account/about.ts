/** Facts about each repository for the first page, stored when it was last open, because opening all would be slow. */
import type { Repo } from 'pdsdb';
import { ZERO_TID, isTid, tidToMicroseconds } from 'pdsdb';
import { storedAccount } from 'pdsdb/sync';

export interface About {
  /** The display name in the profile. */
  readonly displayName?: string | undefined;
  /** The handle, if the account was looked up. */
  readonly handle?: string | undefined;
  readonly records: number;
  /** Bytes of the database, blobs not included. */
  readonly size?: number | undefined;
  /** Of the newest commit, in milliseconds since 1970. */
  readonly changedAt?: number | undefined;
}

const ABOUT = 'viewer.about.';

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

/** Returns the stored facts, or `undefined`. */
export const readAbout = (did: string): About | undefined => {
  const noted = localStorage.getItem(ABOUT + did);
  return noted === null ? undefined : (JSON.parse(noted) as About);
};

export const forgetAbout = (did: string): void => localStorage.removeItem(ABOUT + did);

/** Stores the facts about an open repository. */
export const noteAbout = async (repo: Repo): Promise<void> => {
  const { records, rev, size } = await repo.info();
  // A profile that cannot be read has no name. Its own view reports the error.
  const profile = await repo.get('app.bsky.actor.profile', 'self').catch(() => undefined);
  const displayName = profile?.value['displayName'];
  const about: About = {
    displayName: isText(displayName) ? displayName.trim() : undefined,
    handle: (await storedAccount(repo))?.handle,
    records,
    size,
    changedAt: rev !== undefined && rev !== ZERO_TID && isTid(rev) ? tidToMicroseconds(rev) / 1000 : undefined,
  };
  localStorage.setItem(ABOUT + repo.did, JSON.stringify(about));
};
