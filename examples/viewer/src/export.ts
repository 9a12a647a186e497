/** Exports a repository as a CAR, or as the folder that Node, Deno and Bun open. */
import type { Repo } from 'pdsdb';
import type { FolderEntry } from 'pdsdb/browser';
import { fileNameOf, saveFile } from '../../page/save-file.ts';
import type { TarFile } from './import/tar.ts';
import { tarStream } from './import/tar.ts';

/** Opens the file dialog before the file is made, because browsers allow the dialog only directly after a click. */
export const saveCar = (repo: Repo, rev: string | undefined): Promise<void> =>
  saveFile(`${fileNameOf(repo.did, rev)}.car`, 'application/vnd.ipld.car', () => repo.exportCar());

async function* tarFiles(files: AsyncIterable<FolderEntry>): AsyncGenerator<TarFile, void> {
  for await (const { path, content } of files) {
    yield { path, size: content.size, content: content.stream() };
  }
}

/**
 * Saves `pds.db` and `blobs/` as an archive, because not every browser can save a folder. Calls `files` after the
 * user has chosen a file.
 */
export const saveFolder = (
  did: string,
  rev: string | undefined,
  files: () => AsyncIterable<FolderEntry>,
): Promise<void> => saveFile(`${fileNameOf(did, rev)}.tar`, 'application/x-tar', () => tarStream(tarFiles(files())));
