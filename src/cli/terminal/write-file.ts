/** Files that the command writes: whole under their name or not there, and never over another by accident. */
import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { link, lstat, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { addAbortSignal } from 'node:stream';
import { CommandError } from './command-error.ts';
import { errnoOf, naming } from './file-error.ts';
import { assertPath } from './input.ts';
import { makeFolder, syncFolder } from './make-folder.ts';
import { openWritePipe } from './pipe.ts';

export interface WriteFileOptions {
  /** Takes the place of a file that is there; a device or a pipe is written into. */
  readonly force?: boolean | undefined;
  /** Who may read it; everybody the umask allows when left out. */
  readonly mode?: number | undefined;
  /** Ends the wait for a pipe that nobody reads. */
  readonly signal?: AbortSignal | undefined;
  /** What messages call the file; its path when left out. */
  readonly label?: string | undefined;
}

/** What `ask` answers, or `undefined` when there is no such file. */
const ifThere = async <T>(ask: Promise<T>): Promise<T | undefined> => {
  try {
    return await ask;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') {
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
    if (errnoOf(error) === 'EEXIST') {
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

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const writeChunks = async (file: FileHandle, chunks: Chunks): Promise<number> => {
  let size = 0;
  for await (const chunk of chunks) {
    await file.writeFile(chunk);
    size += chunk.length;
  }
  return size;
};

const writeIntoPipe = async (pipe: Writable, chunks: Chunks): Promise<number> => {
  let size = 0;
  // A failure reaches whoever waits for the write that failed.
  pipe.on('error', () => undefined);
  const done = (work: (callback: (error?: Error | null) => void) => unknown): Promise<void> =>
    new Promise((resolved, rejected) => void work((error) => (error ? rejected(error) : resolved())));
  try {
    for await (const chunk of chunks) {
      await done((callback) => pipe.write(chunk, callback));
      size += chunk.length;
    }
    await done((callback) => pipe.end(callback));
  } finally {
    pipe.destroy();
  }
  return size;
};

/** Into a device, a pipe or a socket: it is there for what is written into it, and nothing can take its place. */
const writeInto = async (
  path: string,
  isFifo: boolean,
  chunks: Chunks,
  signal: AbortSignal | undefined,
): Promise<number> => {
  const pipe = await openWritePipe(path, isFifo, signal);
  if (pipe !== undefined) {
    return writeIntoPipe(signal === undefined ? pipe : addAbortSignal(signal, pipe), chunks);
  }
  const file = await open(path, 'w');
  try {
    return await writeChunks(file, chunks);
  } finally {
    await file.close();
  }
};

/** A name beside a file. It does not contain the file's, which may be as long as names can be. */
const temporaryBeside = (path: string): string => join(dirname(path), `.pdsdb-${randomBytes(6).toString('hex')}.tmp`);

/** Beside its place, and under its name once it is whole. */
const writeBeside = async (path: string, chunks: Chunks, mode: number, name: typeof nameNew): Promise<number> => {
  const temporary = temporaryBeside(path);
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
  await syncFolder(dirname(path));
  return size;
};

/** The same, in a folder that is made if need be. Nothing of it is left when the file is not written. */
const writeBelow = async (path: string, chunks: Chunks, mode: number, name: typeof nameNew): Promise<number> => {
  const takeBack = await makeFolder(dirname(path));
  try {
    return await writeBeside(path, chunks, mode, name);
  } catch (error) {
    await takeBack();
    throw error;
  }
};

const refuseFolder = async (path: string): Promise<never> => {
  const isLink = (await lstat(path)).isSymbolicLink();
  throw new CommandError(
    'InvalidRequest',
    isLink
      ? `${path} is a symbolic link to a folder, where a file is expected. Give the path of a file in that folder, or remove the link.`
      : `a folder, where a file is expected; path=${path}`,
  );
};

const write = async (
  path: string,
  chunks: Chunks,
  { force = false, mode = 0o666, signal }: WriteFileOptions,
): Promise<number> => {
  if (!force) {
    return (await exists(path)) ? refuse(path) : writeBelow(path, chunks, mode, nameNew);
  }
  const there = await ifThere(stat(path));
  if (there?.isDirectory() === true) {
    return refuseFolder(path);
  }
  // Before the links are resolved: what /dev/stdout leads to may have no path of its own.
  return there === undefined || there.isFile()
    ? writeBelow(await destinationOf(path), chunks, mode, rename)
    : writeInto(path, there.isFIFO(), chunks, signal);
};

/**
 * Writes a file: durable under its name once this resolves, not there at all if it rejects. Folders on its path are
 * made. Returns its size. With `force` symbolic links are followed, and what is no regular file is written into.
 * @throws {CommandError} `FileExists`, before the first chunk is asked for; `InvalidRequest` for a folder and an empty
 *   path.
 * @throws {FileError} when the system refuses.
 */
export const writeFile = async (path: string, chunks: Chunks, options: WriteFileOptions = {}): Promise<number> => {
  assertPath(path, 'the file to write');
  return naming('write', options.label ?? path, write(path, chunks, options));
};
