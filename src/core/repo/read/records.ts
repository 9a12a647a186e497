/** Reads records of one tree: by key, and as a list. */
import type { CID } from '../../data/cid.ts';
import { decodeCid } from '../../data/cid.ts';
import { findValue } from '../../mst/find.ts';
import type { NodeReader } from '../../mst/node-reader.ts';
import type { Leaf, WalkRange } from '../../mst/walk.ts';
import { walkLeaves } from '../../mst/walk.ts';
import type { FoundRecord, ListOptions, RecordEntry, TreeEntry } from '../repo.ts';
import { assertCollection, assertRecordKey, formatUri } from '../../syntax/identifiers.ts';
import { assertBlocks } from '../../storage/checked-blocks.ts';
import { recordPath, splitPath } from '../path.ts';
import { decodeStored } from '../record.ts';
import type { StoredEntry, StoredRecord } from '../stored-records.ts';
import { listArguments } from './list-arguments.ts';
import type { RecordSource } from './record-bytes.ts';
import { readRecord, recordMissing } from './record-bytes.ts';

/**
 * One state of the records: the root of its tree and readers of its blocks. `root` is `undefined` before the first
 * commit.
 */
export interface View extends RecordSource {
  readonly did: string;
  readonly root: CID | undefined;
  readonly nodes: NodeReader;
}

/** `getStored` of a repository and a tree. */
export const findStored = async (view: View, collection: string, rkey: string): Promise<StoredRecord | undefined> => {
  const path = recordPath(collection, rkey);
  const cid = view.root === undefined ? undefined : await findValue(view.nodes, view.root, path);
  if (cid === undefined) {
    return undefined;
  }
  const bytes = await readRecord(view, cid);
  return { uri: formatUri(view.did, collection, rkey), cid, bytes };
};

/** `get` of a repository, a branch and a tree. */
export const findRecord = async (view: View, collection: string, rkey: string): Promise<FoundRecord | undefined> => {
  const found = await findStored(view, collection, rkey);
  return found && { ...found, value: decodeStored(`${collection}/${rkey}`, found.cid, found.bytes) };
};

const rangeOf = (collection: string | undefined, { cursor: given, reverse }: ListOptions): WalkRange => {
  const cursor = given === '' ? undefined : given;
  if (collection === undefined) {
    // For all collections, the cursor is a key of the tree.
    return reverse === true ? { before: cursor, reverse } : { after: cursor };
  }
  assertCollection(collection);
  // With the slash, so that `app.bsky.feed.post` does not list `app.bsky.feed.postgate`.
  const prefix = `${collection}/`;
  if (cursor === undefined) {
    return { prefix, reverse };
  }
  assertRecordKey(cursor);
  const from = prefix + cursor;
  return reverse === true ? { prefix, before: from, reverse } : { prefix, after: from };
};

/** Yields batches of leaves, at most `limit` leaves in total. */
async function* limitedLeaves(
  view: View,
  collection: string | undefined,
  options: ListOptions,
): AsyncGenerator<readonly Leaf[]> {
  const { limit } = options;
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 0)) {
    throw new TypeError(`limit is not a valid number of records: use a whole number from 0; limit=${limit}`);
  }
  const range = rangeOf(collection, options);
  let rest = limit ?? Infinity;
  if (view.root === undefined || rest === 0) {
    return;
  }
  for await (const batch of walkLeaves(view.nodes, view.root, { ...range, limit })) {
    yield batch.length > rest ? batch.slice(0, rest) : batch;
    rest -= batch.length;
    if (rest <= 0) {
      return;
    }
  }
}

/** Batches of records. A batch is read with one request; its function returns one record of it. */
async function* storedBatches(
  view: View,
  collection: string | undefined,
  options: ListOptions,
): AsyncGenerator<{ readonly count: number; readonly at: (i: number) => StoredEntry }> {
  for await (const batch of limitedLeaves(view, collection, options)) {
    const cids = batch.map(({ value }) => decodeCid(value));
    const blocks = await view.blocks.getMany(cids);
    assertBlocks(view.hashAll, cids, blocks);
    const at = (i: number): StoredEntry => {
      const { key } = batch[i]!;
      const cid = cids[i]!;
      const bytes = blocks[i];
      if (bytes === undefined) {
        throw recordMissing(key, cid);
      }
      return { uri: `at://${view.did}/${key}`, cid, ...splitPath(key), bytes };
    };
    yield { count: batch.length, at };
  }
}

/** `listStored` of a tree: of one collection or of all. */
export async function* listStored(
  view: View,
  collection?: string,
  options: ListOptions = {},
): AsyncGenerator<StoredEntry> {
  for await (const { count, at } of storedBatches(view, collection, options)) {
    for (let i = 0; i < count; i++) {
      yield at(i);
    }
  }
}

/** The records of one collection or of all. */
export async function* listRecords(
  view: View,
  first?: string | ListOptions,
  second?: ListOptions,
): AsyncGenerator<RecordEntry> {
  const { collection, options } = listArguments(first, second);
  for await (const { count, at } of storedBatches(view, collection, options)) {
    for (let i = 0; i < count; i++) {
      const { uri, cid, collection: of, rkey, bytes } = at(i);
      yield { uri, cid, collection: of, rkey, value: decodeStored(`${of}/${rkey}`, cid, bytes), bytes };
    }
  }
}

/** Yields keys and CIDs of one collection or of all. Reads no record. */
export async function* listEntries(
  view: View,
  collection?: string,
  options: ListOptions = {},
): AsyncGenerator<TreeEntry> {
  for await (const batch of limitedLeaves(view, collection, options)) {
    for (const { key, value } of batch) {
      yield { ...splitPath(key), cid: decodeCid(value) };
    }
  }
}
