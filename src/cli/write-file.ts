/** Files that the command writes: whole under their name or not there, and never over another by accident. */
import { randomBytes } from 'node:crypto';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandError } from './command-error.ts';

export interface WriteFileOptions {
  /** Takes the place of a file that is there. */
  readonly force?: boolean | undefined;
  /** Who may read it; everybody the umask allows when left out. */
  readonly mode?: number | undefined;
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const exists = async (path: string): Promise<boolean> => {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      throw error;
    }
    return false;
  }
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

/**
 * Writes a file: durable under its name once this resolves, not there at all if it rejects. Answers its size.
 * @throws {CommandError} `FileExists`, before the first chunk is asked for.
 */
export const writeFile = async (
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { force = false, mode = 0o666 }: WriteFileOptions = {},
): Promise<number> => {
  if (!force && (await exists(path))) {
    refuse(path);
  }
  const temporary = `${path}.tmp-${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx', mode);
  let size = 0;
  try {
    try {
      for await (const chunk of chunks) {
        await file.writeFile(chunk);
        size += chunk.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await (force ? rename(temporary, path) : nameNew(temporary, path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path);
  return size;
};
