/** What the host's value at a path says about a pending change. This is the table of the outbox. */
import type { Entry, Value } from './entry.ts';

/** The local copy of the host, after a pull. */
export interface HostValue {
  /** The rev of the host's commit, or `undefined` before its first commit. */
  readonly rev: string | undefined;
  /** The record at the path. */
  readonly value: Value;
}

/**
 * - `landed`: the host has had the change. It is no longer pending.
 * - `landedBefore`: the host has what was sent, and the branch has a newer value. The newer value is the next change.
 * - `retry`: the request had no effect. The change is sent again.
 * - `conflict`: the host has a value that contradicts the change.
 * - `keep`: nothing new is known.
 */
export type Verdict = 'conflict' | 'keep' | 'landed' | 'landedBefore' | 'retry';

const isOlder = (rev: string | undefined, than: string | undefined): boolean =>
  than !== undefined && (rev ?? '') < than;

/** The request may or may not have had an effect. */
const decideUnknown = (entry: Entry, { rev, value }: HostValue): Verdict => {
  if (value === entry.sent) {
    return 'landedBefore';
  }
  if (value !== entry.base) {
    return 'conflict';
  }
  // A missing record after a create may also have been created and then deleted. That takes two commits of the host.
  return entry.base !== null || rev === entry.rev ? 'retry' : 'conflict';
};

/** Returns what to do with a pending change. */
export const decide = (entry: Entry, host: HostValue): Verdict => {
  if (entry.state === 'landed') {
    return host.value !== entry.ours && isOlder(host.rev, entry.rev) ? 'keep' : 'landed';
  }
  if (isOlder(host.rev, entry.baseRev)) {
    return 'keep';
  }
  if (host.value === entry.ours) {
    return 'landed';
  }
  switch (entry.state) {
    case 'sending':
    case 'unknown':
      return decideUnknown(entry, host);
    case 'conflict':
      return 'keep';
    default:
      return host.value === entry.base ? 'keep' : 'conflict';
  }
};
