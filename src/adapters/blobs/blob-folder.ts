/**
 * What a folder of blobs needs of a file system: the calls that Node, Bun and Deno have in common. Paths lie within the
 * repository.
 */

export interface FolderEntry {
  readonly kind: 'file' | 'folder' | 'other';
  readonly size: number;
  /** When a file was changed last, in milliseconds since 1970, where the platform knows. */
  readonly changedAt?: number | undefined;
}

export interface BlobFolder {
  /** What is stored under a path, seen without following a symbolic link, or `undefined`. */
  entry(path: string): Promise<FolderEntry | undefined>;
  names(path: string): AsyncIterable<string>;
  /** Makes a folder; one that is there is an error with the code `EEXIST`. */
  makeFolder(path: string): Promise<void>;
  /** Makes the creations and removals in a folder durable, as far as the platform can. */
  syncFolder(path: string): Promise<void>;
  /** Creates a file, which must not be there. */
  create(path: string): Promise<BlobWriter>;
  /** The bytes of a file, piece by piece. */
  read(path: string): AsyncIterable<Uint8Array>;
  /** The file as a `Blob`. */
  blob(path: string): Promise<Blob>;
  rename(from: string, to: string): Promise<void>;
  /** Sets `changedAt` of a file to now, as far as the platform can. Left out where a file is written anew for that. */
  touch?(path: string): Promise<void>;
  remove(path: string): Promise<void>;
}

export interface BlobWriter {
  /** Appends the whole of `bytes`. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes what was written durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
