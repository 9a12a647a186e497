/**
 * Writes and reads backups in folders: the files, and `manifest.json`, which lists them. A backup is written under a
 * temporary name, synced, and renamed last, so that its folder is complete or missing.
 */
import { forEachChunk } from '../../core/data/streams.ts';
import type { BackupManifest } from '../../core/repo/transfer/backup-manifest.ts';
import type { BackupContent, BackupFile } from '../../core/storage/backup-file.ts';
import {
  createManifestReader,
  decodeManifest,
  MANIFEST_PATH,
  MAX_MANIFEST_SIZE,
} from '../../core/repo/transfer/backup-manifest.ts';
import { concatBytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import type { SiblingLocks } from './orphaned-folders.ts';
import { removeOrphanedFolders } from './orphaned-folders.ts';
import type { ParentFolder, Place } from './place.ts';
import { io, makeParents, removeTree, siblingOf } from './place.ts';

/** The result of a backup. */
export interface SavedBackup {
  readonly manifest: BackupManifest;
  /** The size of all files together, in bytes. */
  readonly size: number;
}

export interface SaveOptions {
  /** Replaces an existing backup or repository. */
  readonly force?: boolean | undefined;
}

const isEmpty = async (parent: ParentFolder, path: string): Promise<boolean> => {
  for await (const _ of parent.names(path)) {
    return false;
  }
  return true;
};

/** Returns whether a folder exists and may be replaced: an empty folder, or with `force` a backup. */
const assertReplaceable = async ({ parent, name, path }: Place, force: boolean): Promise<boolean> => {
  const entry = await parent.entry(name);
  if (entry === undefined) {
    return false;
  }
  if (entry.kind === 'folder' && (await isEmpty(parent, name))) {
    return true;
  }
  const isBackup = entry.kind === 'folder' && (await parent.entry(`${name}/${MANIFEST_PATH}`))?.kind === 'file';
  if (!force || !isBackup) {
    throw new RepoError(
      'RepoExists',
      isBackup
        ? `the backup already exists: use force to replace it, or choose another folder; path=${path}`
        : entry.kind === 'folder'
          ? `the folder has files and is not a backup: choose another folder; path=${path}`
          : `the path is a file, or a symbolic link to a missing target: choose another folder; path=${path}`,
    );
  }
  return true;
};

/** Writes a file. Messages name it `label`, because the temporary name means nothing to a user. */
const writeFile = async (
  parent: ParentFolder,
  path: string,
  label: string,
  content: BackupContent,
): Promise<Uint8Array[]> => {
  const kept: Uint8Array[] = [];
  const writer = await io(`writing ${label}`, parent.create(path));
  try {
    await forEachChunk(content.stream(), async (chunk) => {
      await io(`writing ${label}`, writer.write(chunk));
      if (path.endsWith(`/${MANIFEST_PATH}`)) {
        kept.push(chunk);
      }
    });
    await io(`writing ${label}`, writer.sync());
  } catch (error) {
    // The first error is thrown.
    await writer.close().catch(() => undefined);
    throw error;
  }
  await io(`writing ${label}`, writer.close());
  return kept;
};

/** Creates the folders above a path, and adds them to `made`. */
const makeFolders = async (parent: ParentFolder, path: string, label: string, made: Set<string>): Promise<void> => {
  const names = path.split('/').slice(0, -1);
  for (let i = 1; i <= names.length; i++) {
    const folder = names.slice(0, i).join('/');
    if (!made.has(folder)) {
      await io(`making the folder of ${label}`, parent.makeFolder(folder));
      made.add(folder);
    }
  }
};

const writeAll = async (
  { parent, path: target }: Place,
  temporary: string,
  files: AsyncIterable<BackupFile>,
  made: Set<string>,
): Promise<SavedBackup> => {
  let manifest: BackupManifest | undefined;
  let size = 0;
  for await (const { path, content } of files) {
    const place = `${temporary}/${path}`;
    const label = `${target}/${path}`;
    await makeFolders(parent, place, label, made);
    const kept = await writeFile(parent, place, label, content);
    size += content.size;
    if (path === MANIFEST_PATH) {
      manifest = decodeManifest(concatBytes(kept));
    }
  }
  if (manifest === undefined) {
    throw new RepoError(
      'Malformed',
      `the backup has no ${MANIFEST_PATH}: write all files that Repo.backup yields; path=${target}`,
    );
  }
  return { manifest, size };
};

/** As {@link writeAll}, durably, in a folder that is locked meanwhile. */
const writeHeld = async (
  place: Place,
  temporary: string,
  files: AsyncIterable<BackupFile>,
  locks: SiblingLocks | undefined,
): Promise<SavedBackup> => {
  const { parent, path } = place;
  const made = new Set([temporary]);
  await io(`making the folder of ${path}`, parent.makeFolder(temporary));
  const lock = await locks?.hold(temporary);
  let saved: SavedBackup;
  try {
    saved = await writeAll(place, temporary, files, made);
  } finally {
    // Before the folder is synced, because the lock file is not part of the backup.
    lock?.release();
  }
  for (const folder of made) {
    await io(`syncing ${path}`, parent.syncFolder(folder));
  }
  return saved;
};

/** Renames a complete folder to its name, and removes the old folder. If this fails, the old folder keeps its name. */
export const replaceFolder = async (
  { parent, name, path }: Place,
  temporary: string,
  replaces: boolean,
): Promise<void> => {
  const old = siblingOf(name, 'old');
  await io(
    `replacing ${path}`,
    (async () => {
      if (replaces) {
        await parent.rename(name, old);
      }
      try {
        await parent.rename(temporary, name);
      } catch (error) {
        if (replaces) {
          await parent.rename(old, name);
        }
        throw error;
      }
      await parent.syncFolder('.');
      if (replaces) {
        await removeTree(parent, old);
        await parent.syncFolder('.');
      }
    })(),
  );
};

/** Removes an incomplete folder. Ignores errors, because the first error is reported. */
export const discardFolder = async (parent: ParentFolder, temporary: string): Promise<void> => {
  try {
    if ((await parent.entry(temporary)) !== undefined) {
      await removeTree(parent, temporary);
    }
  } catch {
    // The folder has a temporary name. The next backup or import removes it.
  }
};

/**
 * Writes a backup. Resolves when it is durable. If this rejects, no backup is left. Creates missing folders above it,
 * and removes temporary folders of killed backups.
 * @param locks Locks of sibling folders. Without them, no temporary folder is removed.
 * @throws {RepoError} `RepoExists` if the folder may not be replaced; the codes of `files`; `StorageFull`,
 *   `StorageFailed`.
 */
export const writeBackup = async (
  place: Place,
  files: AsyncIterable<BackupFile>,
  { force = false }: SaveOptions,
  locks?: SiblingLocks,
): Promise<SavedBackup> => {
  const { parent, name, path } = place;
  const replaces = await io(`reading ${path}`, assertReplaceable(place, force));
  const takeBack = await makeParents(place);
  await removeOrphanedFolders(place, 'tmp', locks);
  const temporary = siblingOf(name, 'tmp');
  try {
    const saved = await writeHeld(place, temporary, files, locks);
    await replaceFolder(place, temporary, replaces);
    await removeOrphanedFolders(place, 'old', locks);
    return saved;
  } catch (error) {
    await discardFolder(parent, temporary);
    await takeBack();
    throw error;
  }
};

const readFile = (parent: ParentFolder, path: string): ReadableStream<Uint8Array> => {
  const iterator = parent.read(path)[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await io(`reading ${path}`, iterator.next());
        if (done === true) {
          controller.close();
        } else {
          controller.enqueue(value.slice());
        }
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
};

const readManifest = async ({
  parent,
  name,
  path,
}: Place): Promise<{ readonly bytes: Uint8Array; readonly manifest: BackupManifest }> => {
  const file = `${name}/${MANIFEST_PATH}`;
  const entry = await io(`reading ${path}`, parent.entry(file));
  if (entry?.kind !== 'file') {
    throw new RepoError(
      'RepoNotFound',
      `the folder has no backup, because it has no ${MANIFEST_PATH}: check the path; path=${path}`,
    );
  }
  if (entry.size > MAX_MANIFEST_SIZE) {
    throw new RepoError(
      'LimitExceeded',
      `${MANIFEST_PATH} has more than ${MAX_MANIFEST_SIZE} bytes: use another backup; size=${entry.size} path=${path}`,
    );
  }
  const reader = createManifestReader();
  const chunks: Uint8Array[] = [];
  await forEachChunk(readFile(parent, file), (chunk) => {
    reader.push(chunk);
    chunks.push(chunk);
  });
  return { bytes: concatBytes(chunks), manifest: reader.end() };
};

/**
 * Returns the manifest of a backup and its files, with the manifest first. The caller checks the content of the files.
 * @throws {RepoError} `RepoNotFound` if the manifest is missing; `Malformed` if a file is missing, is not a regular
 *   file or has another size (the message names it); `UnknownVersion`; `StorageFailed`.
 */
export const openBackup = async (
  place: Place,
): Promise<{ readonly manifest: BackupManifest; readonly files: AsyncIterable<BackupFile> }> => {
  const { parent, name, path } = place;
  const { bytes, manifest } = await readManifest(place);
  async function* files(): AsyncGenerator<BackupFile, void, undefined> {
    yield { path: MANIFEST_PATH, content: new Blob([bytes as Uint8Array<ArrayBuffer>]) };
    for (const [file, { size }] of manifest.files) {
      const entry = await io(`reading ${path}`, parent.entry(`${name}/${file}`));
      if (entry?.kind !== 'file' || entry.size !== size) {
        const is =
          entry === undefined
            ? 'missing'
            : entry.kind === 'file'
              ? `${entry.size} bytes long instead of ${size}`
              : 'not a regular file';
        throw new RepoError(
          'Malformed',
          `the backup is damaged: a file is ${is}. Use another backup; path=${path}/${file}`,
        );
      }
      yield { path: file, content: { size, stream: () => readFile(parent, `${name}/${file}`) } };
    }
  }
  return { manifest, files: files() };
};
