/** The orders of lists, by which one that is begun again is found where it was. */
import type { LogEntry, MissingBlob, RecordChange, StoredBlob } from '../../core/repo/repo.ts';
import { compareText } from '../../core/data/bytes.ts';
import type { Compare } from './client-lists.ts';

export const byName: Compare<[name: string, value: string]> = ([a], [b]) => compareText(a, b);

export const byCid: Compare<StoredBlob> = (a, b) => compareText(String(a.cid), String(b.cid));
export const byPath: Compare<RecordChange> = (a, b) =>
  compareText(`${a.collection}/${a.rkey}`, `${b.collection}/${b.rkey}`);
export const newestFirst: Compare<LogEntry> = (a, b) => compareText(b.rev, a.rev);
/** The blobs of one record have no order of their own: all up to the one that was answered last come before it. */
export const byUri: Compare<MissingBlob> = (a, b) =>
  compareText(a.uri, b.uri) || (String(a.cid) === String(b.cid) ? 0 : -1);
