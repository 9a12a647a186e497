/** The methods of a repository that prove its content, and that apply the events of its host. */
import type { Bytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';
import type { AppliedEvent, ApplyEventOptions } from './applied-event.ts';
import type { CommitEvent, SyncEvent } from './commit-event.ts';

export interface ProofOptions {
  /** The rev or CID of a commit, or the name of a ref. The head if omitted. */
  readonly at?: string | CID | undefined;
}

export interface RepoProofs {
  /**
   * Returns a CAR that proves the record at `collection/rkey`, or its absence: the commit, the tree nodes from
   * the root to the key, and the record. {@link verifyProof} checks it. Others accept it if the commit is signed.
   * @throws {RepoError} `HeadNotFound` before the first commit; `RefNotFound`; `InvalidCollection`,
   *   `InvalidRecordKey`; `BlockNotFound`, `Corrupt` when a block is missing or damaged.
   */
  proveRecord(path: string, options?: ProofOptions): Promise<Bytes>;
  /**
   * Returns stored blocks as a CAR without a root, as `com.atproto.sync.getBlocks` does: each block once, in the order
   * of `cids`.
   * @throws {RepoError} `BlockNotFound` when one of them is not stored; `Corrupt` when one does not match its CID.
   */
  exportBlocks(cids: readonly CID[]): Promise<Bytes>;
  /**
   * Returns the event of `com.atproto.sync.subscribeRepos` that announces a commit of the local history, without `seq`
   * and `time`. The blocks of a commit event prove its operations and have every new record.
   *
   * Returns a sync event if the changes do not fit in one commit event (200 operations, 2,000,000 bytes), if the commit
   * was imported, or if `gc` has removed the commit before it.
   * @param at The rev or CID of a commit. The head if omitted.
   * @throws {RepoError} `HeadNotFound` before the first commit; `RefNotFound` when the commit is not in the local
   *   history; `BlockNotFound`, `Corrupt` when a block is missing or damaged.
   * @see https://atproto.com/specs/sync
   */
  commitEvent(at?: string | CID): Promise<CommitEvent | SyncEvent>;
  /**
   * Makes the commit of an event the head, if the event proves that it follows the head. It checks the account, the
   * rev, the signature (with `key`), `since` and `prevData`, undoes the operations in the nodes of the event, and
   * applies them to the local tree. All of it is one transaction, with `meta`; it is durable once this resolves.
   *
   * A sync event whose commit has the records of the head replaces the head, as a new signature of it.
   * @returns The result of the event. A bad event does not throw, and changes nothing.
   * @throws {RepoError} `UnknownKey` when the key is not a public key, or is the DID document of another account;
   *   `BlockNotFound`, `Corrupt` when a node of the local tree is missing or damaged; `StorageFull`, `StorageFailed`.
   * @see https://atproto.com/specs/sync
   */
  applyEvent(event: CommitEvent | SyncEvent, options?: ApplyEventOptions): Promise<AppliedEvent>;
}
