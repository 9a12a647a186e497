/** Reads a folder of a repository that the user has chosen or dropped. */
import type { FolderEntry } from 'pdsdb/browser';

/** Returns the files of a chosen folder. Their paths begin with its name. */
export const chosenFiles = (files: Iterable<File>): readonly FolderEntry[] =>
  Array.from(files, (content) => ({ path: content.webkitRelativePath.split('/').slice(1).join('/'), content }));

const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;

const fileOf = (entry: FileSystemEntry): Promise<File> =>
  new Promise((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));

/** A reader returns entries in batches (100 in Chromium), and an empty batch at the end. */
const entriesIn = async (folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> => {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) {
      return all;
    }
    all.push(...some);
  }
};

/** Returns the files of a dropped folder and its subfolders. */
export const droppedFiles = async (folder: FileSystemDirectoryEntry): Promise<readonly FolderEntry[]> => {
  const files: FolderEntry[] = [];
  const rest: (readonly [path: string, folder: FileSystemDirectoryEntry])[] = [['', folder]];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [path, inside] = next;
    for (const entry of await entriesIn(inside)) {
      if (isFolder(entry)) {
        rest.push([`${path}${entry.name}/`, entry]);
      } else {
        files.push({ path: `${path}${entry.name}`, content: await fileOf(entry) });
      }
    }
  }
  return files;
};
