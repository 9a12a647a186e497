/** The state of one pending path. It is a value of `repo.meta`, written together with the branch. */
import { CODEC_RAW, cidOf } from '../../core/data/cid.ts';
import { compareText } from '../../core/data/bytes.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { RepoError } from '../../core/errors.ts';
import { MAX_META_NAME_SIZE } from '../../core/repo/write/meta.ts';

/** The branch that has the pending values. */
export const BRANCH = 'outbox';
const PREFIX = 'app:outbox:';
/** Begins the hash that replaces a path too long for the name of a meta value. No path begins with it. */
const HASHED = '#';

export const ENTRY_STATES = [
  'conflict',
  'landed',
  'queued',
  'rejected',
  'sending',
  'unknown',
  'waitingForSession',
] as const;
export type EntryState = (typeof ENTRY_STATES)[number];

/** The text of a record's CID, or `null` where there is no record. */
export type Value = string | null;

export interface EntryError {
  readonly code: string;
  readonly message: string;
}

export interface Entry {
  readonly path: string;
  readonly state: EntryState;
  /** What the host had when the change was made. The request compares with it. */
  readonly base: Value;
  /** If a push made `base`: the rev of its commit. A copy of the host before this rev says nothing about the change. */
  readonly baseRev?: string | undefined;
  /** The value on the branch. */
  readonly ours: Value;
  /** `sending` and `unknown`: the value of the request. The value on the branch may be newer. */
  readonly sent?: Value | undefined;
  /** `sending` and `unknown`: the host's rev before the request. `landed`: the rev of its commit. */
  readonly rev?: string | undefined;
  /** Number of requests that were sent and may have had an effect. */
  readonly attempts: number;
  readonly error?: EntryError | undefined;
  /** Paths of the same group are sent together. */
  readonly group?: string | undefined;
}

/** Returns the name of the meta value of a path. */
export const entryName = (path: string): string => {
  const name = `${PREFIX}${path}`;
  // Paths are ASCII, so each character is one byte.
  return name.length <= MAX_META_NAME_SIZE
    ? name
    : `${PREFIX}${HASHED}${String(cidOf(CODEC_RAW, new TextEncoder().encode(path)))}`;
};

/** Returns the text of an entry. Fields that are `undefined` are left out. */
export const entryText = (entry: Entry): string => JSON.stringify(entry);

const parseEntry = (name: string, text: string): Entry => {
  try {
    const entry = JSON.parse(text) as Entry;
    if (typeof entry.path === 'string' && entryName(entry.path) === name && ENTRY_STATES.includes(entry.state)) {
      return entry;
    }
  } catch {
    // Reported below, as any other text that is not an entry.
  }
  throw new RepoError(
    'Malformed',
    `the state of a pending change is not readable: another program changed it. To remove it, call repo.meta.set(name, undefined); name=${name}`,
  );
};

/** Returns the entry of a path, or `undefined` if nothing is pending there. */
export const readEntry = async (repo: Repo, path: string): Promise<Entry | undefined> => {
  const name = entryName(path);
  const text = await repo.meta.get(name);
  return text === undefined ? undefined : parseEntry(name, text);
};

/**
 * Lists the entries in the order of their paths.
 * @param collection Only entries of this collection.
 */
export const listEntries = async (repo: Repo, collection?: string): Promise<Entry[]> => {
  const entries: Entry[] = [];
  const begins = collection === undefined ? [''] : [`${collection}/`, HASHED];
  for (const begin of begins) {
    for await (const [name, text] of repo.meta.list(`${PREFIX}${begin}`)) {
      const entry = parseEntry(name, text);
      if (collection === undefined || entry.path.startsWith(`${collection}/`)) {
        entries.push(entry);
      }
    }
  }
  return entries.sort((a, b) => compareText(a.path, b.path));
};
