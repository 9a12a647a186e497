/** Writes files of the command: a file gets its name when it is complete, and replaces another only with `force`. */
import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { link, lstat, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { addAbortSignal } from 'node:stream';
import { CommandError } from './command-error.ts';
import { errnoOf, ifThere, naming } from './file-error.ts';
import { assertPath } from './input.ts';
import { makeFolder, syncFolder } from './make-folder.ts';
import { openWritePipe } from './pipe.ts';

export interface WriteFileOptions {
  /** Replaces an existing file; writes into a device or a pipe. */
  readonly force?: boolean | undefined;
  /** The permissions of the file. Default: 0o666 with the umask. */
  readonly mode?: number | undefined;
  /** Aborts the wait for a reader of a pipe. */
  readonly signal?: AbortSignal | undefined;
  /** The name of the file in messages. Default: its path. */
  readonly label?: string | undefined;
}

const exists = async (path: string): Promise<boolean> => (await ifThere(lstat(path))) !== undefined;

/** Resolves symbolic links, also to a missing target, so that the target is replaced and the links stay. */
const destinationOf = async (path: string): Promise<string> => {
  const real = await ifThere(realpath(path));
  if (real !== undefined) {
    return real;
  }
  const isLink = (await ifThere(lstat(path)))?.isSymbolicLink() === true;
  return isLink ? destinationOf(resolve(await realpath(dirname(path)), await readlink(path))) : path;
};

const refuse = (path: string, cause?: unknown): never => {
  throw new CommandError('FileExists', `The file exists. To replace it, give --force; file=${path}`, { cause });
};

/** Gives the finished file its name, unless another file has the name. */
const nameNew = async (temporary: string, path: string): Promise<void> => {
  try {
    // `link` fails if the name exists. `rename` would replace the other file.
    await link(temporary, path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') {
      refuse(path, error);
    }
    // FAT and some network file systems have no links. Check first there, then rename.
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
  // The error reaches the caller of the failed write.
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

/** Writes into a device, a pipe or a socket, which is never replaced. */
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

/** Returns a temporary name beside a file, without the file's own name, which may have the maximal length. */
const temporaryBeside = (path: string): string => join(dirname(path), `.pdsdb-${randomBytes(6).toString('hex')}.tmp`);

/** Writes a temporary file and renames it when it is complete. */
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

/** As {@link writeBeside}, but creates missing folders. Removes them if the write fails. */
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
      ? `Cannot write ${path}: it is a symbolic link to a folder. Give the path of a file in that folder, or remove the link.`
      : `Cannot write ${path}: it is a folder. Give the path of a file.`,
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
  // Before links are resolved, because the target of /dev/stdout may have no path.
  return there === undefined || there.isFile()
    ? writeBelow(await destinationOf(path), chunks, mode, rename)
    : writeInto(path, there.isFIFO(), chunks, signal);
};

/**
 * Writes a file and returns its size in bytes. Resolves when the file is durable under its name. If this rejects, no
 * file is left. Creates missing folders. With `force`, follows symbolic links, and writes into devices and pipes.
 * @throws {CommandError} `FileExists`, before the first chunk is read; `InvalidRequest` for a folder and an empty path.
 * @throws {FileError} for an error of the system.
 */
export const writeFile = async (path: string, chunks: Chunks, options: WriteFileOptions = {}): Promise<number> => {
  assertPath(path, 'the file to write');
  return naming('write', options.label ?? path, write(path, chunks, options));
};
