/** The files that a store hands out for a backup. */

/** The bytes of a file. */
export interface BackupContent {
  /** In bytes. */
  readonly size: number;
  /** Can be called once. Read the stream to its end before you ask for the next file. */
  stream(): ReadableStream<Uint8Array>;
}

/** One file of a backup. */
export interface BackupFile {
  /** Relative to the folder of the backup, with `/`. */
  readonly path: string;
  readonly content: BackupContent;
}
