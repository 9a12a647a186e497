/** The orders of lists, by which one that is begun again is found where it was. */
import type { LogEntry, MissingBlob, RecordChange, StoredBlob } from '../../core/repo/repo.ts';
import type { Compare } from './client-lists.ts';

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export const byCid: Compare<StoredBlob> = (a, b) => compareText(String(a.cid), String(b.cid));
export const byPath: Compare<RecordChange> = (a, b) =>
  compareText(`${a.collection}/${a.rkey}`, `${b.collection}/${b.rkey}`);
export const newestFirst: Compare<LogEntry> = (a, b) => compareText(b.rev, a.rev);
/** The blobs of one record have no order of their own: all up to the one that was answered last come before it. */
export const byUri: Compare<MissingBlob> = (a, b) =>
  compareText(a.uri, b.uri) || (String(a.cid) === String(b.cid) ? 0 : -1);
