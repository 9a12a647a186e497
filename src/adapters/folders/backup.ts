/**
 * Backups in folders: `manifest.json` beside the files that it names. A backup is written under another name, synced,
 * and gets its own name last; the folder of that name is a whole backup or is not there.
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
import type { SiblingLocks } from './leftovers.ts';
import { removeLeftovers } from './leftovers.ts';
import type { ParentFolder, Place } from './place.ts';
import { io, makeParents, removeTree, siblingOf } from './place.ts';

/** What was written. */
export interface SavedBackup {
  readonly manifest: BackupManifest;
  /** Of all files together, in bytes. */
  readonly size: number;
}

export interface SaveOptions {
  /** Takes the place of a backup that is there. */
  readonly force?: boolean | undefined;
}

const isEmpty = async (parent: ParentFolder, path: string): Promise<boolean> => {
  for await (const _ of parent.names(path)) {
    return false;
  }
  return true;
};

/** Whether a folder may be replaced: nothing is lost with an empty one, and a backup is what `force` is for. */
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
        ? `there is a backup already; it is replaced with force; path=${path}`
        : entry.kind === 'folder'
          ? `what is there is no backup, and is not replaced; path=${path}`
          : `what is there is a file or a symbolic link that leads nowhere, and is not replaced; path=${path}`,
    );
  }
  return true;
};

/** Writes a file, which messages call `label`: until it is whole, the backup has a name that nobody knows. */
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
    // The failure that led here is the one to report.
    await writer.close().catch(() => undefined);
    throw error;
  }
  await io(`writing ${label}`, writer.close());
  return kept;
};

/** Makes the folders above a path, and notes them. */
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
    throw new RepoError('Malformed', `a backup without its manifest is none; path=${target}`);
  }
  return { manifest, size };
};

/** As {@link writeAll}, in a folder whose lock is held, and durable. */
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
    // Before the folder is synced: the lock is no part of the backup.
    lock?.release();
  }
  for (const folder of made) {
    await io(`syncing ${path}`, parent.syncFolder(folder));
  }
  return saved;
};

/** Gives a finished folder its name, and removes what had it. If that fails, what had it has it still, or again. */
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

/** Removes what was begun; the failure that led here is the one to report. */
export const discardFolder = async (parent: ParentFolder, temporary: string): Promise<void> => {
  try {
    if ((await parent.entry(temporary)) !== undefined) {
      await removeTree(parent, temporary);
    }
  } catch {
    // It has a name of its own and no manifest, or no repository's name: nobody takes it for anything.
  }
};

/**
 * Writes a backup: durable, all of it, once this resolves; not there at all if it rejects. The folders above it are
 * made if need be. What a backup that was killed has left beside it is removed.
 * @param locks Of folders beside it. Without them nothing is removed.
 * @throws {RepoError} `RepoExists` when there is something that may not be replaced; as the files do; `StorageFull`,
 *   `StorageFailed`.
 */
export const writeBackup = async (
  place: Place,
  files: AsyncIterable<BackupFile>,
  { force = false }: SaveOptions,
  locks?: SiblingLocks,
): Promise<SavedBackup> => {
  const { parent, name, path } = place;
  const replaces = await io(`looking at ${path}`, assertReplaceable(place, force));
  const takeBack = await makeParents(place);
  await removeLeftovers(place, 'tmp', locks);
  const temporary = siblingOf(name, 'tmp');
  try {
    const saved = await writeHeld(place, temporary, files, locks);
    await replaceFolder(place, temporary, replaces);
    await removeLeftovers(place, 'old', locks);
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
    throw new RepoError('RepoNotFound', `there is no backup: it has no ${MANIFEST_PATH}; path=${path}`);
  }
  if (entry.size > MAX_MANIFEST_SIZE) {
    throw new RepoError(
      'LimitExceeded',
      `${MANIFEST_PATH} has more than ${MAX_MANIFEST_SIZE} bytes; size=${entry.size}`,
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
 * The manifest of a backup, and its files: the manifest first, then what it names. Their content is for the reader to
 * check.
 * @throws {RepoError} `RepoNotFound` when it has no manifest; `Malformed`, naming the file, when one is missing, is no
 *   regular file or has another size; `UnknownVersion`; `StorageFailed`.
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
              ? `of ${entry.size} bytes in place of ${size}`
              : 'no regular file';
        throw new RepoError('Malformed', `the backup is damaged: a file is ${is}; path=${path}/${file}`);
      }
      yield { path: file, content: { size, stream: () => readFile(parent, `${name}/${file}`) } };
    }
  }
  return { manifest, files: files() };
};
