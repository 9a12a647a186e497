/**
 * A new database out of one that SQLite gives up on. Blocks vouch for themselves: a row whose value is not what its key
 * says is none. Commits are blocks, and say whose repository it is and in what order they came; so only refs, and the
 * few texts of `meta`, have to be believed.
 */
import {
  CODEC_DAG_CBOR,
  CODEC_RAW,
  cidOf,
  cidTextToBytes,
  cidToText,
  decodeCid,
  isCidOf,
} from '../../core/data/cid.ts';
import type { CID } from '../../core/data/cid.ts';
import type { CidSet } from '../../core/data/cid-set.ts';
import { createCidSet } from '../../core/data/cid-set.ts';
import type { Commit } from '../../core/repo/commit.ts';
import { decodeCommitBlock } from '../../core/repo/commit.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import { createNodeReader } from '../../core/mst/node-reader.ts';
import { createIsWhole } from '../../core/repo/care/whole-trees.ts';
import type { BlockChange } from '../../core/storage/ports.ts';
import type { Block } from '../../core/blocks/block.ts';
import type { Tid } from '../../core/syntax/tid.ts';
import { isTid } from '../../core/syntax/tid.ts';
import type { SqliteBlockStore } from '../sqlite/block-store.ts';
import type { ReadableFile } from '../sqlite/file-format/readable-file.ts';
import { rowsOfFiles } from './file-pages.ts';
import type { FoundRow } from './page-rows.ts';

export interface SalvageOptions extends LongWork {
  /** Says what is there to be had, and does nothing. */
  readonly dryRun?: boolean | undefined;
}

/** What was found in the damaged database. */
export interface SalvageReport {
  readonly did: string;
  readonly dryRun: boolean;
  readonly blocks: number;
  /**
   * Those of the past that no list names are listed where their trees are whole: some are what `gc` has left on free
   * pages.
   */
  readonly commits: number;
  readonly refs: number;
  /** Words about commits, and MIME types of blobs. */
  readonly meta: number;
  /** Rows whose bytes are not those that their CID names, and which were left behind. */
  readonly damagedBlocks: number;
  /** Where the damaged database is kept, beside the new one; `undefined` after a dry run. */
  readonly keptAs: string | undefined;
}

/** The two files that are read. */
export interface DamagedFiles {
  readonly main: ReadableFile;
  readonly wal: ReadableFile;
}

/** Blocks and bytes that go into the new database with one call. */
const BATCH = 256;
const BATCH_BYTES = 4 * 1024 * 1024;

/** Bytes between two words about how far it has come. */
const TELL_EVERY = 1 << 20;

/** What the rows say that are no blocks. */
export interface Findings {
  readonly did: string;
  readonly commits: ReadonlyMap<Tid, CID>;
  /** Of these commits, those that only their blocks speak of, with their roots. */
  readonly unlisted: ReadonlyMap<Tid, CID>;
  readonly sound: CidSet;
  readonly refs: ReadonlyMap<string, CID>;
  readonly meta: ReadonlyMap<string, string>;
  readonly blocks: number;
  readonly damagedBlocks: number;
}

const NAME_LENGTH = 59;
/**
 * So many letters of a damaged name have to be those that the bytes say. A bit that flips in the row of a record of 200
 * bytes is in its name one time in four; where it is in the bytes, all but the first seven letters agree by chance,
 * which two of them do.
 */
const MIN_SAME_LETTERS = 40;

/** The name of a block whose own is damaged; `undefined` where it is not so. */
const rightName = (name: string, bytes: Uint8Array): CID | undefined => {
  if (name.length !== NAME_LENGTH) {
    return undefined;
  }
  const isMeant = (cid: CID): boolean =>
    [...cidToText(cid)].filter((letter, i) => name[i] === letter).length >= MIN_SAME_LETTERS;
  return ([CODEC_DAG_CBOR, CODEC_RAW] as const).map((codec) => cidOf(codec, bytes)).find(isMeant);
};

const blockOf = ({ key, value }: FoundRow): (Block & { readonly sound: boolean }) | undefined => {
  const bytes = cidTextToBytes(key);
  const cid = bytes && decodeCid(bytes);
  if (cid !== undefined && isCidOf(cid, value)) {
    return { cid, bytes: value, sound: true };
  }
  const meant = rightName(key, value);
  const named = meant ?? cid;
  return named && { cid: named, bytes: value, sound: meant !== undefined };
};

const commitOf = (cid: CID, bytes: Uint8Array): Commit | undefined => {
  try {
    return decodeCommitBlock(cid, bytes);
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    // A record or a node.
    return undefined;
  }
};

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // No text, which is the answer.
    return undefined;
  }
};

/** The account of most commits: a repository has those of one, but a damaged meta table may say anything. */
const didOf = (commits: ReadonlyMap<string, Commit>, meta: ReadonlyMap<string, string>): string => {
  const counts = new Map<string, number>();
  for (const { did } of commits.values()) {
    counts.set(did, (counts.get(did) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  const did = most?.[0] ?? meta.get('did');
  if (did === undefined) {
    throw new RepoError('Corrupt', 'nothing of a repository is left in the database: import a CAR into a new one');
  }
  return did;
};

/**
 * Reads everything once, and keeps what is no block. @throws {RepoError} `Corrupt` when nothing says whose repository
 * it is.
 */
export const findRows = ({ main, wal }: DamagedFiles, { signal, onProgress }: SalvageOptions): Findings => {
  const seen = createCidSet();
  const damaged = createCidSet();
  const commits = new Map<string, Commit>();
  const links: [key: string, text: string][] = [];
  const meta = new Map<string, string>();
  let bytes = 0;
  let told = 0;
  for (const row of rowsOfFiles(main, wal)) {
    bytes += row.value.length;
    if (bytes - told >= TELL_EVERY) {
      told = bytes;
      signal?.throwIfAborted();
      onProgress?.({ phase: 'read', bytes, blocks: seen.size, records: 0 });
    }
    const block = blockOf(row);
    if (block !== undefined) {
      (block.sound ? seen : damaged).add(block.cid.bytes);
      const commit = block.sound ? commitOf(block.cid, row.value) : undefined;
      if (commit !== undefined) {
        commits.set(cidToText(block.cid), commit);
      }
      continue;
    }
    // A name that is no text stands for nothing that could be asked for.
    const text = row.key.includes('\uFFFD') ? undefined : textOf(row.value);
    if (text !== undefined && cidTextToBytes(text) !== undefined) {
      links.push([row.key, text]);
    } else if (text !== undefined && !isTid(row.key) && !meta.has(row.key)) {
      meta.set(row.key, text);
    }
  }
  const did = didOf(commits, meta);
  meta.delete('did');
  meta.delete('version');
  let lost = 0;
  for (const cid of damaged) {
    // One that is damaged in one page may be sound in another.
    lost += seen.has(cid) ? 0 : 1;
  }
  return { did, meta, sound: seen, ...linksOf(did, commits, links), blocks: seen.size, damagedBlocks: lost };
};

const cidOfText = (text: string): CID => decodeCid(cidTextToBytes(text)!);

/**
 * Refs, each to the newest commit that a row of its name leads to; and the list of commits, of which the newest is the
 * head.
 */
const linksOf = (
  did: string,
  found: ReadonlyMap<string, Commit>,
  links: readonly (readonly [key: string, text: string])[],
): Pick<Findings, 'commits' | 'refs' | 'unlisted'> => {
  const commits = new Map<Tid, CID>();
  const refs = new Map<string, CID>();
  const revs = new Map<string, string>();
  const own = new Map([...found].filter(([, commit]) => commit.did === did));
  for (const [key, text] of links) {
    const rev = own.get(text)?.rev;
    if (rev === undefined) {
      continue;
    }
    if (isTid(key)) {
      if (rev === key) {
        commits.set(key, cidOfText(text));
      }
    } else if (rev > (revs.get(key) ?? '')) {
      revs.set(key, rev);
      refs.set(key, cidOfText(text));
    }
  }
  const tagged = new Set([...refs].filter(([name]) => name !== 'main').map(([, cid]) => cid.toString()));
  const unlisted = new Map<Tid, CID>();
  for (const [text, { rev, data }] of own) {
    if (!commits.has(rev as Tid) && !tagged.has(text)) {
      commits.set(rev as Tid, cidOfText(text));
      unlisted.set(rev as Tid, data);
    }
  }
  const newest = [...commits.keys()].sort().at(-1);
  if (newest !== undefined) {
    refs.set('main', commits.get(newest)!);
    unlisted.delete(newest);
  }
  return { commits, refs, unlisted };
};

const putBlocks = async (
  change: BlockChange,
  { main, wal }: DamagedFiles,
  signal: AbortSignal | undefined,
): Promise<void> => {
  let batch: Block[] = [];
  let size = 0;
  const put = async (): Promise<void> => {
    await change.put(batch);
    batch = [];
    size = 0;
  };
  for (const row of rowsOfFiles(main, wal)) {
    const block = blockOf(row);
    if (block?.sound === true) {
      batch.push(block);
      size += block.bytes.length;
      if (batch.length === BATCH || size >= BATCH_BYTES) {
        signal?.throwIfAborted();
        await put();
      }
    }
  }
  await put();
};

/** Fills a new store, in one change. */
export const fillStore = (
  store: SqliteBlockStore,
  files: DamagedFiles,
  { commits, unlisted, sound, refs, meta }: Findings,
  { signal }: SalvageOptions,
): Promise<void> =>
  store.transact(async (change) => {
    await putBlocks(change, files, signal);
    const isWhole = createIsWhole(createNodeReader(change), sound);
    for (const [rev, cid] of commits) {
      const root = unlisted.get(rev);
      if (root === undefined || (await isWhole(root))) {
        await change.addCommit(rev, cid);
      }
    }
    for (const [name, cid] of refs) {
      await change.setRef(name, cid);
    }
    for (const [key, value] of meta) {
      await change.setMeta(key, value);
    }
  });
