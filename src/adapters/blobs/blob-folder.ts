/**
 * What a folder of blobs needs of a file system. Paths are relative to the repository's folder.
 */

export interface FolderEntry {
  readonly kind: 'file' | 'folder' | 'other';
  readonly size: number;
  /** The time of the last change in milliseconds since 1970, or `undefined` if the platform does not provide it. */
  readonly changedAt?: number | undefined;
}

export interface BlobFolder {
  /** Returns the entry of a path, without following a symbolic link, or `undefined` if it is missing. */
  entry(path: string): Promise<FolderEntry | undefined>;
  names(path: string): AsyncIterable<string>;
  /** Creates a folder. Throws an error with the code `EEXIST` if it exists. */
  makeFolder(path: string): Promise<void>;
  /** Makes the creations and removals in a folder durable, as far as the platform can. */
  syncFolder(path: string): Promise<void>;
  /** Creates a file. Fails if it exists. */
  create(path: string): Promise<BlobWriter>;
  /** Yields the bytes of a file in chunks. */
  read(path: string): AsyncIterable<Uint8Array>;
  /** Returns the file as a `Blob`. */
  blob(path: string): Promise<Blob>;
  rename(from: string, to: string): Promise<void>;
  /** Sets `changedAt` of a file to now. If it is absent, the store replaces the file instead. */
  touch?(path: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export interface BlobWriter {
  /** Appends all `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the written bytes durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
