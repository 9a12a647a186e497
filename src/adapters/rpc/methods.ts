/** The calls between a page and the server of its repository that no table of the core generates. */
import type { Bytes } from '../../core/data/bytes.ts';
import type { CID } from '../../core/data/cid.ts';
import type { CollectionCount, CommitRef, HeadChange, ListOptions, RepoInfo } from '../../core/repo/repo.ts';
import type { StoredRecord } from '../../core/repo/stored-records.ts';
import type { Page } from './streams.ts';

/** One edit of a tree; without bytes, a deletion. */
export interface TreeEdit {
  readonly collection: string;
  readonly rkey: string;
  readonly value: Bytes | undefined;
}

/**
 * A tree of `checkout`: a commit, and edits on top of it. The server keeps the last ones under their keys. A call about
 * one that it does not have rejects with `goneError`, and the client sends the edits.
 */
export interface TreeRef {
  /** `undefined` for the tree before the first commit. */
  readonly base: CID | undefined;
  /** Of an edited tree. */
  readonly key?: number | undefined;
  readonly edits?: readonly TreeEdit[] | undefined;
}

/** A state of the records: of a tree, of a branch's head, or of the head. */
export type At = TreeRef | { readonly branch: string } | undefined;

/** A page of a list of records or keys. */
export interface RecordPage extends Page<unknown> {
  /** The commit that the first page shows. The cursor of the next page is its last key, under this commit. */
  readonly base: CID | undefined;
}

/** The calls to a server. */
export interface ServerMethods {
  /** Returns the DID, and the rev of the head. */
  about(): { readonly did: string; readonly rev: string | undefined };
  info(): RepoInfo;
  /** The record's bytes, which the client decodes. */
  get(at: At, collection: string, rkey: string): StoredRecord | undefined;
  collections(at: At): CollectionCount[];
  /**
   * A page of records as they are stored, or of keys. The server keeps the state of a list until its last page, or
   * `leave`.
   * @param list A number that the client has chosen for the list.
   */
  page(list: number, at: At, of: 'entries' | 'list', collection: string | undefined, options: ListOptions): RecordPage;
  leave(list: number): void;
  /** Returns the commit whose tree it is, and the head under which a commit of it is expected. */
  checkout(at: string | CID | undefined): { readonly base: CID | undefined; readonly head: CID | undefined };
  commit(tree: TreeRef, options: object): CommitRef;
  /** Keeps the edited tree as `key`; `false` when the edit changes nothing. */
  edit(tree: TreeRef, edit: TreeEdit, key: number): boolean;
  /**
   * From now on this client hears of new heads. If the head that it knows is given (`null` for none), it first hears of
   * the heads that it missed. Returns the rev of the head.
   */
  subscribe(known: string | null | undefined): string | undefined;
  unsubscribe(): void;
}

/** The calls to a client. */
export interface ClientMethods {
  /** Tells a client that has subscribed of a new head. */
  change(change: HeadChange): void;
}
