/** Counts and sizes of the records and blobs of a repository. */
import type { Repo, TreeEntry } from '../../index.ts';
import { blobMentions, isRepoError, isTid, tidToMicroseconds } from '../../index.ts';
import { storedBytes } from '../record/stored-bytes.ts';

export interface CollectionStatistics {
  readonly collection: string;
  records: number;
  /** Bytes of the stored records. */
  bytes: number;
  readonly first: string;
  last: string;
}

export interface LargeRecord {
  readonly path: string;
  readonly cid: string;
  readonly bytes: number;
}

export interface BlobStatistics {
  readonly cid: string;
  readonly bytes: number;
  readonly mimeType: string | undefined;
}

export interface Statistics {
  readonly did: string;
  readonly head: string | null;
  readonly records: number;
  readonly bytes: number;
  readonly collections: readonly CollectionStatistics[];
  /** Records by the month of their key, if the key is a TID. The first month first, without gaps. */
  readonly months: readonly { readonly month: string; readonly records: number }[];
  /** The largest first. */
  readonly largestRecords: readonly LargeRecord[];
  readonly blobs: { readonly stored: number; readonly bytes: number; readonly missing: number };
  readonly largestBlobs: readonly BlobStatistics[];
  /** Stored blobs that no record of the head mentions. */
  readonly orphanedBlobs: readonly BlobStatistics[];
}

/** TIDs before this time are other texts of the same form. The network began in this year. */
const FIRST_YEAR = Date.UTC(2022, 0);
const DAY_MS = 24 * 60 * 60 * 1000;

/** Returns the month of a record key, such as `2026-01`, or `undefined` if it is not a TID of a past time. */
const monthOf = (rkey: string): string | undefined => {
  if (!isTid(rkey)) {
    return undefined;
  }
  const time = tidToMicroseconds(rkey) / 1000;
  return time < FIRST_YEAR || time > Date.now() + DAY_MS ? undefined : new Date(time).toISOString().slice(0, 7);
};

const monthAfter = (month: string): string => {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return new Date(Date.UTC(year, number)).toISOString().slice(0, 7);
};

/** Returns the months in order, and those between them. */
const withoutGaps = (counts: ReadonlyMap<string, number>): Statistics['months'] => {
  const known = [...counts.keys()].sort();
  const months: { month: string; records: number }[] = [];
  for (let month = known[0]; month !== undefined && month <= known.at(-1)!; month = monthAfter(month)) {
    months.push({ month, records: counts.get(month) ?? 0 });
  }
  return months;
};

/** Returns a list that keeps the `most` largest items. */
const createLargest = <T extends { readonly bytes: number }>(most: number) => {
  const items: T[] = [];
  return {
    items,
    add(item: T): void {
      if (items.length < most || item.bytes > items.at(-1)!.bytes) {
        items.push(item);
        items.sort((a, b) => b.bytes - a.bytes);
        items.length = Math.min(items.length, most);
      }
    },
  };
};

/** Returns the size of a record. Calls `onBlob` for each blob that it mentions. */
const readRecord = async (
  read: Awaited<ReturnType<Repo['checkout']>>,
  repo: Repo,
  entry: TreeEntry,
  onBlob: (cid: string) => void,
): Promise<number> => {
  try {
    const { value, bytes } = (await read.get(entry.collection, entry.rkey))!;
    for (const { cid } of blobMentions(value)) {
      onBlob(cid.toString());
    }
    return bytes.length;
  } catch (error) {
    if (!isRepoError(error, 'Malformed')) {
      throw error;
    }
    return (await storedBytes(repo, read.base!, entry)).length;
  }
};

const countBlobs = async (
  repo: Repo,
  mentioned: ReadonlySet<string>,
  most: number,
): Promise<Pick<Statistics, 'blobs' | 'largestBlobs' | 'orphanedBlobs'>> => {
  const largest = createLargest<BlobStatistics>(most);
  const orphanedBlobs: BlobStatistics[] = [];
  let stored = 0;
  let bytes = 0;
  let found = 0;
  for await (const { cid, size, mimeType } of repo.blobs()) {
    const blob = { cid: cid.toString(), bytes: size, mimeType };
    stored += 1;
    bytes += size;
    largest.add(blob);
    if (mentioned.has(blob.cid)) {
      found += 1;
    } else {
      orphanedBlobs.push(blob);
    }
  }
  return { blobs: { stored, bytes, missing: mentioned.size - found }, largestBlobs: largest.items, orphanedBlobs };
};

/**
 * Reads every record of the head, and returns the statistics.
 * @param most How many of the largest records and blobs to return.
 * @param onRecord Called after each record, with the counts so far.
 */
export const statisticsOf = async (
  repo: Repo,
  most: number,
  signal: AbortSignal,
  onRecord: (records: number, bytes: number) => void,
): Promise<Statistics> => {
  const tree = await repo.checkout();
  const collections: CollectionStatistics[] = [];
  const months = new Map<string, number>();
  const largest = createLargest<LargeRecord>(most);
  const mentioned = new Set<string>();
  let records = 0;
  let bytes = 0;
  for await (const entry of tree.entries()) {
    signal.throwIfAborted();
    const { collection, rkey, cid } = entry;
    const size = await readRecord(tree, repo, entry, (blob) => mentioned.add(blob));
    if (collections.at(-1)?.collection !== collection) {
      collections.push({ collection, records: 0, bytes: 0, first: rkey, last: rkey });
    }
    const counts = collections.at(-1)!;
    counts.records += 1;
    counts.bytes += size;
    counts.last = rkey;
    records += 1;
    bytes += size;
    largest.add({ path: `${collection}/${rkey}`, cid: cid.toString(), bytes: size });
    const month = monthOf(rkey);
    if (month !== undefined) {
      months.set(month, (months.get(month) ?? 0) + 1);
    }
    onRecord(records, bytes);
  }
  return {
    did: repo.did,
    head: tree.base?.toString() ?? null,
    records,
    bytes,
    collections,
    months: withoutGaps(months),
    largestRecords: largest.items,
    ...(await countBlobs(repo, mentioned, most)),
  };
};
