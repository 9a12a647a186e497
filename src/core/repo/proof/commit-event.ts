/** Events of `com.atproto.sync.subscribeRepos` about the content of one repository. */
import type { Bytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';

/** The most operations of one event. A commit with more is announced by a sync event. */
export const MAX_EVENT_OPS = 200;

/** The most bytes of the CAR of a commit event. */
export const MAX_EVENT_BLOCKS = 2_000_000;

/** The most bytes of the CAR of a sync event, which has one block. */
export const MAX_SYNC_BLOCKS = 10_000;

/** One change of a record. */
export interface EventOp {
  readonly action: 'create' | 'delete' | 'update';
  /** `collection/rkey` */
  readonly path: string;
  /** The CID of the record after the commit; `null` for a delete. */
  readonly cid: CID | null;
  /** The CID before the commit, for updates and deletes. Hosts from before Sync 1.1 do not send it. */
  readonly prev?: CID | null | undefined;
}

/** A `#commit` message: what one commit changed. Fields of the message that are not listed are ignored. */
export interface CommitEvent {
  readonly type: 'commit';
  /** The DID of the account. */
  readonly repo: string;
  readonly commit: CID;
  readonly rev: string;
  /** The rev before; `null` for the first commit. */
  readonly since: string | null;
  /** The root of the tree before. The first commit has none. Hosts from before Sync 1.1 do not send it. */
  readonly prevData?: CID | null | undefined;
  readonly ops: readonly EventOp[];
  /** A CAR: the commit, the records, and the tree nodes that prove the changes. */
  readonly blocks: Bytes;
}

/** A `#sync` message: the head is another one, and how it came about is not told. */
export interface SyncEvent {
  readonly type: 'sync';
  readonly did: string;
  readonly rev: string;
  /** A CAR with the commit alone. */
  readonly blocks: Bytes;
}
