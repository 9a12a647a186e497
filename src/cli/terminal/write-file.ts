/** Files that the command writes: whole under their name or not there, and never over another by accident. */
import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { link, lstat, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CommandError } from './command-error.ts';

export interface WriteFileOptions {
  /** Takes the place of a file that is there; a device or a pipe is written into. */
  readonly force?: boolean | undefined;
  /** Who may read it; everybody the umask allows when left out. */
  readonly mode?: number | undefined;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** What `ask` answers, or `undefined` when there is no such file. */
const ifThere = async <T>(ask: Promise<T>): Promise<T | undefined> => {
  try {
    return await ask;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      throw error;
    }
    return undefined;
  }
};

const exists = async (path: string): Promise<boolean> => (await ifThere(lstat(path))) !== undefined;

/** Where a path leads through symbolic links, also when nothing is there yet: it is not the links that are replaced. */
const destinationOf = async (path: string): Promise<string> => {
  const real = await ifThere(realpath(path));
  if (real !== undefined) {
    return real;
  }
  const isLink = (await ifThere(lstat(path)))?.isSymbolicLink() === true;
  return isLink ? destinationOf(resolve(await realpath(dirname(path)), await readlink(path))) : path;
};

const refuse = (path: string, cause?: unknown): never => {
  throw new CommandError('FileExists', `file exists; give --force to replace it; file=${path}`, { cause });
};

/** Gives the finished file its name, unless the name is taken. */
const nameNew = async (temporary: string, path: string): Promise<void> => {
  try {
    // A link, unlike a rename, fails when the name is taken: no moment lies between the look and the act.
    await link(temporary, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') {
      refuse(path, error);
    }
    // FAT and some network file systems have no links. There a look has to do.
    if (await exists(path)) {
      refuse(path);
    }
    await rename(temporary, path);
    return;
  }
  await rm(temporary);
};

const syncFolder = async (path: string): Promise<void> => {
  if (process.platform === 'win32') {
    // A folder cannot be opened there; the file system keeps its own journal of names.
    return;
  }
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const writeChunks = async (file: FileHandle, chunks: Chunks): Promise<number> => {
  let size = 0;
  for await (const chunk of chunks) {
    await file.writeFile(chunk);
    size += chunk.length;
  }
  return size;
};

/** Into a device, a pipe or a socket: it is there for what is written into it, and nothing can take its place. */
const writeInto = async (path: string, chunks: Chunks): Promise<number> => {
  const file = await open(path, 'w');
  try {
    return await writeChunks(file, chunks);
  } finally {
    await file.close();
  }
};

/** Beside its place, and under its name once it is whole. */
const writeBeside = async (path: string, chunks: Chunks, mode: number, name: typeof nameNew): Promise<number> => {
  const temporary = `${path}.tmp-${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx', mode);
  let size: number;
  try {
    try {
      size = await writeChunks(file, chunks);
      await file.sync();
    } finally {
      await file.close();
    }
    await name(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path);
  return size;
};

/**
 * Writes a file: durable under its name once this resolves, not there at all if it rejects. Answers its size. With
 * `force` symbolic links are followed, and what is no regular file is written into.
 * @throws {CommandError} `FileExists`, before the first chunk is asked for; `InvalidRequest` for a folder.
 */
export const writeFile = async (
  path: string,
  chunks: Chunks,
  { force = false, mode = 0o666 }: WriteFileOptions = {},
): Promise<number> => {
  if (!force) {
    return (await exists(path)) ? refuse(path) : writeBeside(path, chunks, mode, nameNew);
  }
  const there = await ifThere(stat(path));
  if (there?.isDirectory() === true) {
    throw new CommandError('InvalidRequest', `a folder, where a file is expected; path=${path}`);
  }
  // Before the links are resolved: what /dev/stdout leads to may have no path of its own.
  return there === undefined || there.isFile()
    ? writeBeside(await destinationOf(path), chunks, mode, rename)
    : writeInto(path, chunks);
};
