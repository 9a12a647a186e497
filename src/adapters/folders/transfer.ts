/**
 * Exports and imports a repository as the files of its folder: `pds.db` and `blobs/ba/<cid>`. Copies bytes from and to
 * every storage, without a CAR.
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
import { sha256Stream } from '../../wasm/hash/sha256-stream.ts';
import { writeAll } from '../../wasm/vfs/write-all.ts';
import { MANIFEST_PATH } from '../../core/repo/transfer/backup-manifest.ts';
import { contentOf } from '../sqlite/file-content.ts';
import { createManifestCheck } from './manifest-check.ts';
import { openInspected } from '../sqlite/inspect-database.ts';
import { openSchema } from '../sqlite/schema.ts';
import type { RepoPlatform } from '../sqlite/open-repo.ts';

/** One file of the folder. A `Blob` or a `File` is a valid content. */
export interface FolderEntry {
  /** The path in the folder, with `/`. */
  readonly path: string;
  readonly content: FolderContent;
}

/** The bytes of a file. */
export interface FolderContent {
  readonly size: number;
  /** Returns a stream. Read it once, to its end, before you ask for the next entry. */
  stream(): ReadableStream<Uint8Array>;
}

/** The result of an import. */
export interface FolderImport {
  readonly did: string;
  readonly blobs: number;
}

const BLOB_PATH = /^blobs\/[^/]+\/([^/]+)$/;

/**
 * Yields the files of a repository: `pds.db` first, with its WAL checkpointed, then the blobs. The repository is locked
 * until the iteration ends.
 * @throws {RepoError} `Corrupt` if the database is not valid; the codes of the platform.
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
 * Creates a repository from the files of a folder, in any order. Skips entries that are not part of the layout. Checks
 * the hashes of the blobs, and that the database is a repository; `verify` checks its tree. If a `manifest.json` is
 * among the files, every file in it must exist and match.
 *
 * If this rejects, no repository is left. After a crash, the repository is missing or does not open.
 * @param platform A platform that creates the repository.
 * @throws {RepoError} `RepoNotFound` if `pds.db` is missing or empty; `Malformed` if a blob does not match its name, or
 *   the database is not a repository; the codes of the platform, such as `RepoExists`.
 */
export const importFolder = async (
  platform: RepoPlatform,
  entries: AsyncIterable<FolderEntry> | Iterable<FolderEntry>,
): Promise<FolderImport> => {
  const files = await platform.openFiles();
  try {
    const blobs = await platform.openBlobs();
    try {
      return await importEntries(platform, files, blobs, entries);
    } finally {
      await blobs.close();
    }
  } finally {
    await files.close();
  }
};

/**
 * Returns the same file, which throws `RepoError`. Errors of the source of the entries stay unchanged.
 */
const withRepoErrors = (file: SyncFile): SyncFile => {
  const attempt = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      throw toStorageError(error, 'importing the folder');
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

const importEntries = async (
  platform: RepoPlatform,
  files: DatabaseFiles,
  blobs: BlobStore,
  entries: AsyncIterable<FolderEntry> | Iterable<FolderEntry>,
): Promise<FolderImport> => {
  const [main, wal] = [withRepoErrors(files.main), withRepoErrors(files.wal)];
  const stored: CID[] = [];
  const check = createManifestCheck(platform.createHash ?? sha256Stream);
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
      throw new RepoError('RepoNotFound', 'the folder has no database: add the file; path=pds.db');
    }
    check.assertWhole();
    wal.flush();
    main.flush();
    // The first page is written last, because a file without it is not a database.
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

/** Writes the content into an empty file, without its first `held` bytes. Returns those. */
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
    throw new RepoError(
      'Malformed',
      `a file changed while it was read: try again; expected=${content.size} found=${at}`,
    );
  }
  return first;
};

const putNamed = async (blobs: BlobStore, named: CID, content: FolderContent): Promise<CID> => {
  const { cid } = await blobs.put(content.stream());
  if (!cidEquals(cid, named)) {
    await blobs.delete([cid]);
    throw new RepoError(
      'Malformed',
      `a blob does not match its name: remove the file, or get it again; name=${cidToText(named)} cid=${cidToText(cid)}`,
    );
  }
  return cid;
};

/** Checks that the database is a repository, and checkpoints its WAL. Returns the account. */
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
    // The bytes are input, not our own storage.
    throw isRepoError(cause, 'Corrupt') ? new RepoError('Malformed', `pds.db: ${cause.message}`, { cause }) : cause;
  }
};

/** Empties the storage again. Ignores errors, because the first error is reported. */
const undo = async (files: DatabaseFiles, blobs: BlobStore, stored: readonly CID[]): Promise<void> => {
  try {
    for (const file of [files.main, files.journal, files.wal]) {
      file.truncate(0);
      file.flush();
    }
    await files.persist();
    await blobs.delete(stored);
  } catch {
    // The rest does not open, and can be deleted.
  }
};
