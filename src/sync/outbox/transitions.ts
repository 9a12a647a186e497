/** The states of a pending change before and after a request. */
import { isRepoError } from '../../core/errors.ts';
import { errorName, isError } from '../../core/data/platform-values.ts';
import type { Entry, EntryError, Value } from './entry.ts';
import { queuedEntry } from './absorb.ts';
import type { Outcome } from './outcome.ts';

const MAX_MESSAGE = 500;

/** Returns whether a push sends the change. */
export const isSendable = ({ state }: Entry): boolean => state === 'queued' || state === 'waitingForSession';

export const errorOf = (error: unknown): EntryError => ({
  code: isRepoError(error) ? error.code : (errorName(error) ?? 'Error'),
  message: (isError(error) ? error.message : String(error)).slice(0, MAX_MESSAGE),
});

/**
 * Returns the entry to store before the request is sent.
 * @param rev The newest rev of the host that is known.
 */
export const sendingEntry = ({ error: _, ...entry }: Entry, rev: string | undefined): Entry => ({
  ...entry,
  state: 'sending',
  sent: entry.ours,
  rev,
  attempts: entry.attempts + 1,
});

/** Returns the entry after the host has accepted the value that was sent. */
const landedEntry = (entry: Entry, sent: Value, rev: string): Entry => {
  const { path, base, ours, attempts, group } = entry;
  return ours === sent
    ? { path, state: 'landed', base, ours, rev, attempts, group }
    : queuedEntry(entry, { base: sent, baseRev: rev, attempts: 0 });
};

/**
 * Returns the entry after a request.
 * @param sent The value of the request. The value on the branch may be newer.
 * @param hasSentBlobs Whether the blobs were uploaded again, because the host lacked one. A second lack is a refusal.
 */
export const afterOutcome = (entry: Entry, sent: Value, outcome: Outcome, hasSentBlobs: boolean): Entry => {
  if (entry.state !== 'sending') {
    return entry;
  }
  const isNewer = entry.ours !== sent;
  switch (outcome.kind) {
    case 'landed':
      // Without a commit, only a pull shows at which rev the host has the value.
      return outcome.commit === undefined
        ? { ...entry, state: 'unknown' }
        : landedEntry(entry, sent, outcome.commit.rev);
    case 'unknown':
      return { ...entry, state: 'unknown', error: errorOf(outcome.error) };
    case 'stopped': {
      const waits = outcome.status === 'waitingForSession';
      const error = errorOf(outcome.error);
      const queued = queuedEntry(entry, { attempts: entry.attempts - 1, error });
      return waits ? { ...queued, state: 'waitingForSession' } : queued;
    }
    case 'moved':
      return queuedEntry(entry, { error: errorOf(outcome.error) });
    default: {
      const isRejected = !isNewer && (outcome.kind === 'rejected' || hasSentBlobs);
      const queued = queuedEntry(entry, { error: errorOf(outcome.error) });
      return isRejected ? { ...queued, state: 'rejected' } : queued;
    }
  }
};
