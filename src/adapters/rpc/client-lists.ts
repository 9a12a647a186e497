/** Lists on the client's side: pages asked for as they are wanted, and asked for anew where the server has changed. */
import { compareText } from '../../core/data/bytes.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import type { LogEntry, MissingBlob, RecordChange, StoredBlob } from '../../core/repo/repo.ts';
import type { Page, Gone, OpenList } from './protocol.ts';
import { GONE } from './protocol.ts';

/** The three questions of a list. Some lists tell of their progress while a page of them is found. */
export interface ListServer {
  open(handle: number, list: OpenList, onProgress?: LongWork['onProgress']): Promise<Page<unknown>>;
  next(handle: number, onProgress?: LongWork['onProgress']): Promise<Page<unknown> | Gone>;
  leave(handle: number): void;
}

/** Where an entry lies in a list, seen from another one: before it (below 0), after it, or 0 for the same. */
export type Compare<T> = (entry: T, other: T) => number;

export const byName: Compare<[name: string, value: string]> = ([a], [b]) => compareText(a, b);
export const byCid: Compare<StoredBlob> = (a, b) => compareText(String(a.cid), String(b.cid));
export const byPath: Compare<RecordChange> = (a, b) =>
  compareText(`${a.collection}/${a.rkey}`, `${b.collection}/${b.rkey}`);
export const newestFirst: Compare<LogEntry> = (a, b) => compareText(b.rev, a.rev);
/** The blobs of one record have no order: all up to the one that was returned last compare as before it. */
export const byUri: Compare<MissingBlob> = (a, b) =>
  compareText(a.uri, b.uri) || (String(a.cid) === String(b.cid) ? 0 : -1);

/**
 * Walks a list of the server. Left early, it says so. If the server has forgotten it (because another one has taken its
 * place), it is opened again, and what was answered before is passed over.
 */
export async function* walkList<T>(
  server: ListServer,
  handle: number,
  list: OpenList,
  compare: Compare<T>,
): AsyncGenerator<T> {
  let last: { readonly entry: T } | undefined;
  let skipping = false;
  let ended = false;
  try {
    for (let page: Page<unknown> | Gone = await server.open(handle, list); ; page = await server.next(handle)) {
      if (page === GONE) {
        page = await server.open(handle, list);
        skipping = last !== undefined;
      }
      for (const entry of page.items as readonly T[]) {
        const place = skipping ? compare(entry, last!.entry) : 1;
        skipping = place < 0;
        if (place > 0) {
          last = { entry };
          yield entry;
        }
      }
      if (page.done) {
        ended = true;
        return;
      }
    }
  } catch (error) {
    ended = true;
    throw error;
  } finally {
    if (!ended) {
      server.leave(handle);
    }
  }
}
