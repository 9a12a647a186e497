/** What a pull has changed, and what a live copy does, in words. */
import { REPO_ERROR_CODES, RepoError } from 'pdsdb';
import type { RecordChange } from 'pdsdb';
import type { FollowUpdate, PullProgress, PullResult } from 'pdsdb/sync';
import { networkWords } from '../../../page/network-words.ts';
import { formatBytes, formatCount } from '../../../page/quantities.ts';
import { phaseWords } from './clone-view.ts';

type Counts = Pick<PullResult, 'created' | 'deleted' | 'updated'>;

/** `2 created, 1 deleted`, or `no record changed`. */
export const countWords = ({ created, updated, deleted }: Counts): string => {
  const words = [
    created > 0 ? `${formatCount(created)} created` : undefined,
    updated > 0 ? `${formatCount(updated)} updated` : undefined,
    deleted > 0 ? `${formatCount(deleted)} deleted` : undefined,
  ].filter((text) => text !== undefined);
  return words.length === 0 ? 'no record changed' : words.join(', ');
};

export const countsOf = (changes: readonly RecordChange[]): Counts => {
  const count = (action: RecordChange['action']): number => changes.filter((one) => one.action === action).length;
  return { created: count('create'), updated: count('update'), deleted: count('delete') };
};

const OLDER = 'The host has an older commit than this copy. Nothing was changed.';
const UNSIGNED = 'The host has not signed its newest commit with the key of the DID document yet. Nothing was changed.';

/** Why an account is not served: a code of the library, or a word of the host such as `deactivated`. */
const inactiveWords = (reason: string | undefined): string => {
  const code = REPO_ERROR_CODES.find((one) => one === reason || one.toLowerCase() === `repo${reason}`);
  return code === undefined ? 'The host does not serve this account now.' : networkWords(new RepoError(code, '')).what;
};

const HINDRANCES: Readonly<Partial<Record<string, string>>> = { rolledBack: OLDER, waiting: UNSIGNED };

/** Returns the result of a pull in one sentence. */
export const pullWords = (result: PullResult): string => {
  switch (result.status) {
    case 'current':
      return 'Up to date.';
    case 'inactive':
      return inactiveWords(result.reason);
    case 'rolledBack':
    case 'waiting':
      return HINDRANCES[result.status] ?? '';
    default: {
      const kept = result.kept === undefined ? '' : ' Changes that only this copy had are kept beside it.';
      return `Updated: ${countWords(result)}.${kept}`;
    }
  }
};

/** Returns the progress of a pull. */
export const progressWords = (progress: PullProgress): string =>
  progress.phase === 'read' && progress.bytes > 0
    ? `${phaseWords(progress)}: ${formatBytes(progress.bytes)}`
    : phaseWords(progress);

/** Returns the state of a live copy. `now` is in milliseconds of Unix time. */
export const liveWords = (update: Extract<FollowUpdate, { type: 'state' }>, now: number = Date.now()): string => {
  const { state, reason, retryAt } = update;
  switch (state) {
    case 'connecting':
      return 'Connecting';
    case 'catchingUp':
    case 'resyncing':
      return 'Catching up';
    case 'live':
      return 'Live';
    case 'offline': {
      const seconds = Math.max(1, Math.round(((retryAt ?? now) - now) / 1000));
      const code = REPO_ERROR_CODES.find((one) => reason?.startsWith(`${one}:`) === true);
      const why = code === undefined ? 'No connection.' : networkWords(new RepoError(code, '')).what;
      return `${why} Trying again in ${seconds} s.`;
    }
    case 'inactive':
      return HINDRANCES[reason ?? ''] ?? inactiveWords(reason);
    default:
      return '';
  }
};
