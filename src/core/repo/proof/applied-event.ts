/** Options and results of `Repo.applyEvent`. */
import type { KeySource } from '../../crypto/key-source.ts';
import type { CommitRef, WriteOptions } from '../commits.ts';
import type { RecordChange } from '../tree.ts';

export interface ApplyEventOptions extends Pick<WriteOptions, 'meta' | 'request'> {
  /** The account's public key, in any form of {@link KeySource}. Without it, the signature is not checked. */
  readonly key?: KeySource | undefined;
}

/**
 * The result of an event.
 *
 * - `applied`: the commit is the head now.
 * - `ignored`: the copy has this commit already, or a later one.
 * - `desynchronized`: the event does not follow the head, or lacks what proves its changes. Import a CAR of the
 *   account, with `since` if the host has that rev.
 * - `invalid`: the event contradicts itself or the local copy, is malformed, or is not signed by the key.
 */
export interface AppliedEvent {
  readonly outcome: 'applied' | 'desynchronized' | 'ignored' | 'invalid';
  /** Why the event was not applied. */
  readonly reason?: string | undefined;
  /** The new head, if it was applied. */
  readonly commit?: CommitRef | undefined;
  /** The changes of records, in key order. Empty unless the event was applied. */
  readonly changes: readonly RecordChange[];
}
