import { isRepoError, RepoError } from '../../core/errors.ts';

const MESSAGE = 'the tab that had the repository open went away while a stream was read: read it again';

/** The error of a call to a stream, function or tree that the other end does not have: another one has replaced it. */
export const goneError = (): RepoError => new RepoError('StorageFailed', MESSAGE);

/** Whether that is the error of a call. It crosses like every other one. */
export const isGone = (error: unknown): boolean => isRepoError(error, 'StorageFailed') && error.message === MESSAGE;
