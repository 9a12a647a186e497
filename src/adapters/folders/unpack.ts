/**
 * Writes the records of a repository as files, in the layout of `goat repo unpack`: `_commit.json` and
 * `<collection>/<rkey>.json`. The folder is written under a temporary name, and renamed when it is complete.
 */
import { readCar } from '../../core/car/reader.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import { equalBytes } from '../../core/data/bytes.ts';
import { decodeCbor } from '../../core/data/cbor-decode.ts';
import { encodeCbor } from '../../core/data/cbor-encode.ts';
import type { CID } from '../../core/data/cid.ts';
import { CODEC_DAG_CBOR, cidToText } from '../../core/data/cid.ts';
import { fromJson, toJson } from '../../core/data/json.ts';
import { chunksOf } from '../../core/data/streams.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { decodeCommit } from '../../core/repo/commit.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import { noCommit } from '../../core/repo/read/head.ts';
import { pathOf } from '../../core/repo/path.ts';
import { decodeStored } from '../../core/repo/record.ts';
import type { Repo, Tree, TreeEntry } from '../../core/repo/repo.ts';
import { discardFolder } from './backup.ts';
import type { SiblingLocks } from './orphaned-folders.ts';
import { removeOrphanedFolders } from './orphaned-folders.ts';
import type { ParentFolder, Place } from './place.ts';
import { io, makeParents, siblingOf } from './place.ts';
import { underName } from './restore.ts';
import type { CaseConflicts } from './unpacked-names.ts';
import { BLOBS_NAME, COMMIT_NAME, createCaseConflicts, encodeCollection, encodeName } from './unpacked-names.ts';

export interface UnpackOptions extends LongWork {
  /** The commit to unpack: a rev, a CID or a ref. Default: the head. */
  readonly at?: string | CID | undefined;
  /** Also writes the stored blobs, as `_blobs/<cid>`. */
  readonly blobs?: boolean | undefined;
}

/** The result of {@link unpackInto}. */
export interface UnpackedRepo {
  readonly did: string;
  readonly head: CID;
  readonly rev: string;
  readonly records: number;
  /**
   * Records that have no exact JSON form, or whose collection is not an NSID. Their files have the stored bytes:
   * `.cbor`, or `.bin` for a raw CID.
   */
  readonly opaque: number;
  readonly blobs: number;
}

/** Files that are written at the same time. */
const BATCH = 32;

/** Returns a stored block, also of a record whose path or bytes are not valid. */
const readBlock = async (repo: Repo, cid: CID): Promise<Bytes> => {
  const [block] = readCar(await repo.exportBlocks([cid]));
  return block!.bytes as Bytes;
};

const textOf = (json: unknown): string => `${JSON.stringify(json, undefined, 2)}\n`;

/**
 * Returns the JSON text of a record that converts back to the same bytes. Otherwise, and if a new record could not have
 * this path, returns `undefined`.
 */
const jsonOf = (path: string, cid: CID, bytes: Uint8Array): string | undefined => {
  try {
    pathOf(path, undefined);
    const text = textOf(toJson(decodeStored(path, cid, bytes)));
    return equalBytes(encodeCbor(fromJson(JSON.parse(text))), bytes) ? text : undefined;
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    // The collection is not an NSID, the record is not in the data model, or a map has $link and other keys.
    return undefined;
  }
};

interface RecordFile {
  readonly ending: 'bin' | 'cbor' | 'json';
  readonly content: Uint8Array;
}

const encoder = new TextEncoder();

const recordFile = async (repo: Repo, { collection, rkey, cid }: TreeEntry): Promise<RecordFile> => {
  const content = await readBlock(repo, cid);
  const text = jsonOf(`${collection}/${rkey}`, cid, content);
  return text === undefined
    ? { ending: cid.code === CODEC_DAG_CBOR ? 'cbor' : 'bin', content }
    : { ending: 'json', content: encoder.encode(text) };
};

/** Finds the names that a file system without case would confuse: collections, and for each one record keys. */
const findConflicts = async (
  tree: Tree,
): Promise<{ readonly collections: CaseConflicts; readonly rkeys: ReadonlyMap<string, CaseConflicts> }> => {
  const collections = createCaseConflicts();
  const rkeys = new Map<string, CaseConflicts>();
  for await (const { collection, rkey } of tree.entries()) {
    let keys = rkeys.get(collection);
    if (keys === undefined) {
      collections.add(collection);
      keys = createCaseConflicts();
      rkeys.set(collection, keys);
    }
    keys.add(rkey);
  }
  return { collections, rkeys };
};

/** Writes files of one folder tree, and counts them. */
class Writer {
  bytes = 0;
  readonly #parent: ParentFolder;
  readonly #root: string;
  readonly #label: string;
  readonly #made = new Set<string>(['']);

  /** @param root The temporary name of the folder. Messages name the folder by its path. */
  constructor({ parent, path }: Place, root: string) {
    this.#parent = parent;
    this.#root = root;
    this.#label = path;
  }

  async makeFolders(path: string): Promise<void> {
    const above = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (!this.#made.has(above)) {
      await this.makeFolders(above);
      await io(`making ${this.#label}/${above}`, this.#parent.makeFolder(`${this.#root}/${above}`));
      this.#made.add(above);
    }
  }

  /** Creates a file in a folder that exists. Not synced one by one: 10,000 files would take minutes. */
  async write(path: string, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const doing = `writing ${this.#label}/${path}`;
    const file = await io(doing, this.#parent.create(`${this.#root}/${path}`));
    try {
      for await (const chunk of chunks) {
        await io(doing, file.write(chunk));
        this.bytes += chunk.length;
      }
    } finally {
      await io(doing, file.close());
    }
  }
}

const writeRecords = async (
  repo: Repo,
  tree: Tree,
  writer: Writer,
  { signal, onProgress }: UnpackOptions,
): Promise<{ readonly records: number; readonly opaque: number }> => {
  const { collections, rkeys } = await findConflicts(tree);
  let records = 0;
  let opaque = 0;
  const writeOne = async (entry: TreeEntry, path: string): Promise<void> => {
    const { ending, content } = await recordFile(repo, entry);
    await writer.write(`${path}.${ending}`, [content]);
    opaque += ending === 'json' ? 0 : 1;
  };
  let batch: Promise<void>[] = [];
  const endBatch = async (): Promise<void> => {
    // All of them end before the first error is thrown, so that the folder can be removed then.
    const results = await Promise.allSettled(batch);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) {
      throw failed.reason;
    }
    records += batch.length;
    batch = [];
    onProgress?.({ phase: 'write', bytes: writer.bytes, blocks: records, records });
    signal?.throwIfAborted();
  };
  try {
    for await (const entry of tree.entries()) {
      const { collection, rkey } = entry;
      const folder = encodeCollection(collection, collections.has(collection));
      const path = `${folder}/${encodeName(rkey, rkeys.get(collection)!.has(rkey))}`;
      await writer.makeFolders(path);
      batch.push(writeOne(entry, path));
      if (batch.length === BATCH) {
        await endBatch();
      }
    }
  } finally {
    await endBatch();
  }
  return { records, opaque };
};

const writeBlobs = async (repo: Repo, writer: Writer, signal: AbortSignal | undefined): Promise<number> => {
  let blobs = 0;
  for await (const { cid } of repo.blobs()) {
    signal?.throwIfAborted();
    const content = await repo.getBlob(cid);
    if (content !== undefined) {
      const path = `${BLOBS_NAME}/${cidToText(cid)}`;
      await writer.makeFolders(path);
      await writer.write(path, chunksOf(content.stream()));
      blobs += 1;
    }
  }
  return blobs;
};

const fill = async (repo: Repo, place: Place, temporary: string, options: UnpackOptions): Promise<UnpackedRepo> => {
  const tree = await repo.checkout(options.at);
  const head = tree.base;
  if (head === undefined) {
    throw noCommit(repo.did);
  }
  const commit = await readBlock(repo, head);
  const writer = new Writer(place, temporary);
  await writer.write(COMMIT_NAME, [encoder.encode(textOf(toJson(decodeCbor(commit))))]);
  const { records, opaque } = await writeRecords(repo, tree, writer, options);
  const blobs = options.blobs === true ? await writeBlobs(repo, writer, options.signal) : 0;
  return { did: repo.did, head, rev: decodeCommit(commit).rev, records, opaque, blobs };
};

/** Returns whether the folder exists. @throws {RepoError} `RepoExists` if it has anything in it, or is no folder. */
const assertVacant = async ({ parent, name, path }: Place): Promise<boolean> => {
  const entry = await parent.entry(name);
  if (entry === undefined) {
    return false;
  }
  if (entry.kind !== 'folder') {
    throw new RepoError('RepoExists', `the path exists and is not a folder: choose a new folder; path=${path}`);
  }
  for await (const _ of parent.names(name)) {
    throw new RepoError('RepoExists', `the folder is not empty: choose a new folder; path=${path}`);
  }
  return true;
};

/**
 * Unpacks a repository into a new or empty folder. If this rejects, no folder is left.
 * @throws {RepoError} `RepoExists`; `HeadNotFound` before the first commit; `RefNotFound`; `BlockNotFound`, `Corrupt`;
 *   `StorageFull`, `StorageFailed`.
 */
export const unpackInto = async (
  place: Place,
  repo: Repo,
  options: UnpackOptions,
  locks?: SiblingLocks,
): Promise<UnpackedRepo> => {
  const { parent, name, path } = place;
  await io(`reading ${path}`, assertVacant(place));
  const takeBack = await makeParents(place);
  await removeOrphanedFolders(place, 'tmp', locks);
  const temporary = siblingOf(name, 'tmp');
  try {
    await io(`making ${path}`, parent.makeFolder(temporary));
    const lock = await locks?.hold(temporary);
    let unpacked: UnpackedRepo;
    try {
      unpacked = await fill(repo, place, temporary, options);
    } finally {
      lock?.release();
    }
    await io(
      `making ${path}`,
      (async () => {
        if (await assertVacant(place)) {
          await parent.removeFolder(name);
        }
        await parent.rename(temporary, name);
        await parent.syncFolder('.');
      })(),
    );
    return unpacked;
  } catch (error) {
    await discardFolder(parent, temporary);
    await takeBack();
    throw underName(error, temporary, name);
  }
};
