/** Takes a repository out of the browser: as a CAR, or as the folder that Node, Deno and Bun open. */
import type { Repo } from 'pdsdb';
import type { FolderEntry } from 'pdsdb/browser';
import { fileNameOf, saveFile } from '../../page/save-file.ts';
import type { TarFile } from './tar.ts';
import { tarStream } from './tar.ts';

/** What the file is called is told before it is made: browsers let a page ask for a file right after a click alone. */
export const saveCar = (repo: Repo, rev: string | undefined): Promise<void> =>
  saveFile(`${fileNameOf(repo.did, rev)}.car`, 'application/vnd.ipld.car', () => repo.exportCar());

async function* tarFiles(files: AsyncIterable<FolderEntry>): AsyncGenerator<TarFile, void> {
  for await (const { path, content } of files) {
    yield { path, size: content.size, content: content.stream() };
  }
}

/**
 * `pds.db` and `blobs/` in an archive: a page cannot save a folder in every browser. `files` is asked for once there is
 * a place for it.
 */
export const saveFolder = (
  did: string,
  rev: string | undefined,
  files: () => AsyncIterable<FolderEntry>,
): Promise<void> => saveFile(`${fileNameOf(did, rev)}.tar`, 'application/x-tar', () => tarStream(tarFiles(files())));
