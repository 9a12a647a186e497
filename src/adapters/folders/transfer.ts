/**
 * A repository as the folder that it is on a disk: `pds.db` and `blobs/ba/<cid>`. Out of any place that keeps one, and
 * into any, byte by byte and without a CAR.
 */
import { forEachChunk } from '../../core/data/streams.ts';
import { blobPath, MAIN_NAME, PAGE_SIZE, WAL_NAME } from '../../core/storage/layout.ts';
import type { CID } from '../../core/data/cid.ts';
import { cidEquals, cidTextToBytes, cidToText, parseCid } from '../../core/data/cid.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import { toStorageError } from '../../core/storage/storage-error.ts';
import type { BlobStore } from '../../core/storage/ports.ts';
import type { DatabaseFiles, SyncFile } from '../../wasm/vfs/database-files.ts';
import { loadSqlite } from '../../wasm/database/sqlite.ts';
import { writeAll } from '../../wasm/vfs/write-all.ts';
import { MANIFEST_PATH } from '../../core/repo/transfer/backup-manifest.ts';
import { contentOf } from '../sqlite/file-content.ts';
import { createManifestCheck } from './manifest-check.ts';
import { openInspected } from '../sqlite/inspect-database.ts';
import { openSchema } from '../sqlite/schema.ts';
import type { RepoPlatform } from '../sqlite/open-repo.ts';

/** One file of the folder. A `Blob` or a `File` is its content as it stands. */
export interface FolderEntry {
  /** From the folder on, with `/`. */
  readonly path: string;
  readonly content: FolderContent;
}

/** The bytes of a file. */
export interface FolderContent {
  readonly size: number;
  /** To be read once, and to its end before the next entry is asked for. */
  stream(): ReadableStream<Uint8Array>;
}

/** What was taken in. */
export interface FolderImport {
  readonly did: string;
  readonly blobs: number;
}

const BLOB_PATH = /^blobs\/[^/]+\/([^/]+)$/;

/**
 * The files of a repository that nobody has open: `pds.db` first, with its WAL checkpointed, then the blobs. It is
 * locked until the iteration ends, which abandoning it does as well.
 * @throws {RepoError} as the platform does; `Corrupt` when the database is none.
 */
export async function* exportFolder(platform: RepoPlatform): AsyncGenerator<FolderEntry, void, undefined> {
  const sqlite = await loadSqlite(await platform.wasm());
  const files = await platform.openFiles();
  try {
    openInspected(sqlite, files, { isNew: false }).close();
    await files.persist();
    yield { path: MAIN_NAME, content: contentOf(files.main) };
    const blobs = await platform.openBlobs();
    try {
      for await (const { cid } of blobs.list()) {
        const content = await blobs.get(cid);
        if (content !== undefined) {
          yield { path: blobPath(cid), content };
        }
      }
    } finally {
      await blobs.close();
    }
  } finally {
    await files.close();
  }
}

/**
 * Takes in the files of a folder, in any order, where there is no repository: the platform is one that creates. Entries
 * that are no part of the layout are passed over. What the blobs are named is checked, and that the database is a
 * repository's; its tree is for `verify` to check. With the `manifest.json` of a backup among them, every file that it
 * names has to be there and to be what it says.
 *
 * If anything is wrong, nothing is there afterwards. After a crash on the way there is no repository, or one that does
 * not open.
 * @throws {RepoError} `RepoNotFound` when there is no `pds.db`, or an empty one; `Malformed` when a blob is not the one
 *   that its name says, or the database is none; as the platform does, `RepoExists` among it.
 */
export const importFolder = async (
  platform: RepoPlatform,
  entries: AsyncIterable<FolderEntry> | Iterable<FolderEntry>,
): Promise<FolderImport> => {
  const files = await platform.openFiles();
  try {
    const blobs = await platform.openBlobs();
    try {
      return await takeIn(platform, files, blobs, entries);
    } finally {
      await blobs.close();
    }
  } finally {
    await files.close();
  }
};

/**
 * A file whose failures are told in the words of this library; those of where the entries come from stay as they are.
 */
const toldInOurWords = (file: SyncFile): SyncFile => {
  const attempt = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      throw toStorageError(error, 'taking in the folder');
    }
  };
  return {
    read: (buffer, options) => attempt(() => file.read(buffer, options)),
    write: (buffer, options) => attempt(() => file.write(buffer, options)),
    truncate: (size) => attempt(() => file.truncate(size)),
    getSize: () => attempt(() => file.getSize()),
    flush: () => attempt(() => file.flush()),
  };
};

const takeIn = async (
  platform: RepoPlatform,
  files: DatabaseFiles,
  blobs: BlobStore,
  entries: AsyncIterable<FolderEntry> | Iterable<FolderEntry>,
): Promise<FolderImport> => {
  const [main, wal] = [toldInOurWords(files.main), toldInOurWords(files.wal)];
  const stored: CID[] = [];
  const check = createManifestCheck();
  try {
    let first: Uint8Array | undefined;
    for await (const entry of entries) {
      const { path } = entry;
      const content = check.watch(entry);
      const name = BLOB_PATH.exec(path)?.[1];
      if (path === MANIFEST_PATH) {
        await check.take(content);
      } else if (path === MAIN_NAME) {
        first = await fill(main, content, PAGE_SIZE);
      } else if (path === WAL_NAME) {
        await fill(wal, content, 0);
      } else if (name !== undefined && cidTextToBytes(name) !== undefined) {
        stored.push(await putNamed(blobs, parseCid(name), content));
      }
    }
    if (first === undefined || first.length === 0) {
      throw new RepoError('RepoNotFound', 'the folder has no database; path=pds.db');
    }
    check.assertWhole();
    wal.flush();
    main.flush();
    // Last of all: without its first page this is no database.
    writeAll(main, first, 0);
    main.flush();
    const did = await didOf(platform, files);
    await files.persist();
    return { did, blobs: stored.length };
  } catch (error) {
    await undo(files, blobs, stored);
    throw error;
  }
};

/** Writes the content into an empty file, but for its first `held` bytes, which are answered. */
const fill = async (file: SyncFile, content: FolderContent, held: number): Promise<Uint8Array> => {
  file.truncate(0);
  const first = new Uint8Array(Math.min(held, content.size));
  let at = 0;
  await forEachChunk(content.stream(), (chunk) => {
    const inFirst = Math.max(0, Math.min(chunk.length, first.length - at));
    if (inFirst > 0) {
      first.set(chunk.subarray(0, inFirst), at);
    }
    writeAll(file, chunk.subarray(inFirst), at + inFirst);
    at += chunk.length;
  });
  if (at !== content.size) {
    throw new RepoError('Malformed', `a file has another size than it was said to have; said=${content.size} is=${at}`);
  }
  return first;
};

const putNamed = async (blobs: BlobStore, named: CID, content: FolderContent): Promise<CID> => {
  const { cid } = await blobs.put(content.stream());
  if (!cidEquals(cid, named)) {
    await blobs.delete([cid]);
    throw new RepoError(
      'Malformed',
      `a blob is not the one that its name says; name=${cidToText(named)} is=${cidToText(cid)}`,
    );
  }
  return cid;
};

/** Checks that the database is a repository's, and checkpoints its WAL. */
const didOf = async (platform: RepoPlatform, files: DatabaseFiles): Promise<string> => {
  const sqlite = await loadSqlite(await platform.wasm());
  try {
    const database = openInspected(sqlite, files, { isNew: false });
    try {
      return openSchema(database).did;
    } finally {
      database.close();
    }
  } catch (cause) {
    // Bytes from outside, not from our own storage.
    throw isRepoError(cause, 'Corrupt') ? new RepoError('Malformed', `pds.db: ${cause.message}`, { cause }) : cause;
  }
};

/** Leaves the place as it was: empty. The failure that led here is the one to report. */
const undo = async (files: DatabaseFiles, blobs: BlobStore, stored: readonly CID[]): Promise<void> => {
  try {
    for (const file of [files.main, files.journal, files.wal]) {
      file.truncate(0);
      file.flush();
    }
    await files.persist();
    await blobs.delete(stored);
  } catch {
    // Nothing was promised; what is left does not open, and can be deleted.
  }
};
