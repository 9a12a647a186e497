/**
 * Rebuilds a database that SQLite cannot open. Blocks are checked by their hash: a row whose value does not match its
 * key is not a block. Commits are blocks, and contain the account and their order. Only refs and the texts of `meta`
 * cannot be checked.
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
import { COUNTS } from '../../core/repo/store-names.ts';
import { WHOLE } from '../../core/repo/transfer/whole-tree.ts';
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
  /** Only returns the report, and changes no file. */
  readonly dryRun?: boolean | undefined;
}

/** The result of a salvage. */
export interface SalvageReport {
  readonly did: string;
  readonly dryRun: boolean;
  readonly blocks: number;
  /**
   * The number of commits. An old commit that is not in the history is counted if its tree is complete; `gc` leaves
   * some on free pages.
   */
  readonly commits: number;
  readonly refs: number;
  /** The number of meta values: messages of commits, MIME types of blobs and values of the application. */
  readonly meta: number;
  /** The number of blocks whose bytes do not match their CID. They are not in the new database. */
  readonly damagedBlocks: number;
  /** The name of the damaged database's copy, or `undefined` after a dry run. */
  readonly keptAs: string | undefined;
}

/** The two files that are read. */
export interface DamagedFiles {
  readonly main: ReadableFile;
  readonly wal: ReadableFile;
}

/** Blocks and bytes per `put`. */
const BATCH = 256;
const BATCH_BYTES = 4 * 1024 * 1024;

/** Bytes between two calls of `onProgress`. */
const PROGRESS_INTERVAL = 1 << 20;

/** The content of the damaged database, without the bytes of the blocks. */
export interface Findings {
  readonly did: string;
  readonly commits: ReadonlyMap<Tid, CID>;
  /** The commits that are not in the table `commits`, with their roots. */
  readonly unlisted: ReadonlyMap<Tid, CID>;
  readonly sound: CidSet;
  readonly refs: ReadonlyMap<string, CID>;
  readonly meta: ReadonlyMap<string, string>;
  readonly blocks: number;
  readonly damagedBlocks: number;
}

const NAME_LENGTH = 59;
/**
 * The smallest number of equal letters between a damaged key and the CID of the bytes. One flipped bit in the key
 * changes one letter. If the bytes are damaged, only the first seven letters and about two others are equal.
 */
const MIN_SAME_LETTERS = 40;

/** Returns the CID of a block whose key is damaged, or `undefined` if the bytes are damaged. */
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
    // A record or a tree node.
    return undefined;
  }
};

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The value is not text.
    return undefined;
  }
};

/** Returns the account of most commits, or else the one in `meta`, which may be damaged. */
const didOf = (commits: ReadonlyMap<string, Commit>, meta: ReadonlyMap<string, string>): string => {
  const counts = new Map<string, number>();
  for (const { did } of commits.values()) {
    counts.set(did, (counts.get(did) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  const did = most?.[0] ?? meta.get('did');
  if (did === undefined) {
    throw new RepoError(
      'Corrupt',
      'cannot salvage: no readable page names an account. Import a CAR into a new repository, or restore a backup',
    );
  }
  return did;
};

/**
 * Reads all rows once, and returns everything except the bytes of the blocks.
 * @throws {RepoError} `Corrupt` if no row names the account.
 */
export const findRows = ({ main, wal }: DamagedFiles, { signal, onProgress }: SalvageOptions): Findings => {
  const seen = createCidSet();
  const damaged = createCidSet();
  const commits = new Map<string, Commit>();
  const links: [key: string, text: string][] = [];
  const meta = new Map<string, string>();
  let bytes = 0;
  let reported = 0;
  for (const row of rowsOfFiles(main, wal)) {
    bytes += row.value.length;
    if (bytes - reported >= PROGRESS_INTERVAL) {
      reported = bytes;
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
    // A key that is not UTF-8 cannot be looked up.
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
    // A block that is damaged in one page may be valid in another.
    lost += seen.has(cid) ? 0 : 1;
  }
  return { did, meta, sound: seen, ...linksOf(did, commits, links), blocks: seen.size, damagedBlocks: lost };
};

const cidOfText = (text: string): CID => decodeCid(cidTextToBytes(text)!);

/**
 * Returns the refs, each with the newest commit among its rows, and the commits. The newest commit becomes the head.
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

/** Fills a new store in one change. */
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
      // Not every block of the head may have been found.
      if (key !== WHOLE && key !== COUNTS) {
        await change.setMeta(key, value);
      }
    }
  });
