/** Search by record key and by text. */
import type { Repo } from 'pdsdb';
import { CID } from 'pdsdb';
import type { RecordPath, Row } from './rows.ts';
import { readRows } from './rows.ts';

const PATH =
  /^(?:at:\/\/(?<did>[^/]+)\/)?(?<collection>[a-z][a-z0-9-]*(?:\.[A-Za-z0-9-]+){2,})\/(?<rkey>[A-Za-z0-9._:~-]{1,512})$/;

/**
 * What a query names when it is an address, `at://did/collection/rkey` of this repository or `collection/rkey`, and no
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

/** How much of a text is shown before the words. */
const LEAD = 24;

/** The part of a text that has the words in it, which are in lower case. */
const excerpt = (text: string, words: string): string | undefined => {
  const at = text.toLowerCase().indexOf(words);
  if (at < 0) {
    return undefined;
  }
  return at <= LEAD ? text : `…${text.slice(at - LEAD)}`;
};

/** The first text in a value that has the words in it, or `undefined`. */
const textWith = (value: unknown, words: string): string | undefined => {
  if (typeof value === 'string') {
    return excerpt(value, words);
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) {
    return undefined;
  }
  // A link has a text of its own, and its bytes are no words.
  if (CID.asCID(value) !== null) {
    return excerpt(String(value), words);
  }
  for (const inside of Object.values(value)) {
    const found = textWith(inside, words);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
};

export interface SearchOptions {
  readonly signal: AbortSignal;
  /** Called for what was found since the last time, and with how many records were looked through. */
  readonly onProgress: (found: readonly Row[], searched: number) => void;
}

/** How often to say how far it is: often enough to look alive. */
const TELL_EVERY_MS = 100;

/** How long to look through records before the page may answer to its reader. */
const YIELD_EVERY_MS = 12;

const yieldToEvents = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/**
 * Looks through the records of some collections, newest first, for those whose key or whose texts hold the query, no
 * matter the case. Rejects with the signal's reason when it is aborted.
 */
export const search = async (
  repo: Repo,
  collections: readonly string[],
  query: string,
  { signal, onProgress }: SearchOptions,
): Promise<void> => {
  const words = query.trim().toLowerCase();
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
      const text = textWith(row.value, words);
      if (text !== undefined || row.rkey.toLowerCase().includes(words)) {
        found.push({ ...row, found: text });
      }
      const now = performance.now();
      if (now - toldAt > TELL_EVERY_MS) {
        toldAt = now;
        tell();
      }
      if (now - yieldedAt > YIELD_EVERY_MS) {
        await yieldToEvents();
        yieldedAt = performance.now();
      }
    }
  }
  signal.throwIfAborted();
  tell();
};
