/** Search by record key and by text. */
import type { Repo } from 'pdsdb';
import { CID } from 'pdsdb';
import { Query } from './query.ts';
import type { RecordPath, Row } from './rows.ts';
import { readRows } from './rows.ts';

const PATH =
  /^(?:at:\/\/(?<did>[^/]+)\/)?(?<collection>[a-z][a-z0-9-]*(?:\.[A-Za-z0-9-]+){2,})\/(?<rkey>[A-Za-z0-9._:~-]{1,512})$/;

/**
 * Parses a query that is an address, `at://did/collection/rkey` of this repository or `collection/rkey`, and not
 * text.
 */
export const pathIn = (query: string, did: string): RecordPath | undefined => {
  const found = PATH.exec(query.trim())?.groups;
  if (found?.['collection'] === undefined || found['rkey'] === undefined) {
    return undefined;
  }
  return found['did'] === undefined || found['did'] === did
    ? { collection: found['collection'], rkey: found['rkey'] }
    : undefined;
};

/** The number of shown characters before the first matching word. */
const LEAD = 24;

/** Returns a text from slightly before the word. */
const excerpt = (text: string, at: number): string => (at <= LEAD ? text : `…${text.slice(at - LEAD)}`);

/** Yields all texts in a value. A link has a text; bytes have none. */
function* textsIn(value: unknown): Generator<string, void> {
  if (typeof value === 'string') {
    yield value;
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    if (CID.asCID(value) !== null) {
      yield String(value);
      return;
    }
    for (const inside of Object.values(value)) {
      yield* textsIn(inside);
    }
  }
}

/** Returns the row with its matching text, or `undefined` if it lacks one of the words. */
const matched = (row: Row, query: Query): Row | undefined => {
  const words = new Set(query.in(row.rkey).words);
  let found: string | undefined;
  for (const text of textsIn(row.value)) {
    const here = query.in(text);
    if (here.at >= 0) {
      here.words.forEach((word) => words.add(word));
      found ??= excerpt(text, here.at);
      if (query.isWhole(words)) {
        break;
      }
    }
  }
  return query.isWhole(words) ? { ...row, found, query } : undefined;
};

export interface SearchOptions {
  readonly signal: AbortSignal;
  /** Called with the new results and the number of searched records. */
  readonly onProgress: (found: readonly Row[], searched: number) => void;
}

/** The interval between two progress updates. */
const PROGRESS_INTERVAL_MS = 100;

/** The longest time of searching before it yields to the event loop. */
const YIELD_INTERVAL_MS = 12;

const yieldToEvents = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/**
 * Searches the records of collections, newest first, for those that have each word of the query as a whole
 * word in their key or their texts, in any case. Rejects with the signal's reason when it is aborted.
 */
export const search = async (
  repo: Repo,
  collections: readonly string[],
  text: string,
  { signal, onProgress }: SearchOptions,
): Promise<void> => {
  const query = new Query(text);
  let found: Row[] = [];
  let searched = 0;
  let toldAt = performance.now();
  let yieldedAt = toldAt;
  const tell = (): void => {
    onProgress(found, searched);
    found = [];
  };
  for (const collection of collections) {
    for await (const row of readRows(repo, collection)) {
      signal.throwIfAborted();
      searched += 1;
      const match = matched(row, query);
      if (match !== undefined) {
        found.push(match);
      }
      const now = performance.now();
      if (now - toldAt > PROGRESS_INTERVAL_MS) {
        toldAt = now;
        tell();
      }
      if (now - yieldedAt > YIELD_INTERVAL_MS) {
        await yieldToEvents();
        yieldedAt = performance.now();
      }
    }
  }
  signal.throwIfAborted();
  tell();
};
