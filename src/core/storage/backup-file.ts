/** The files of a backup. */

/** The bytes of a file. */
export interface BackupContent {
  /** Size in bytes. */
  readonly size: number;
  /** Returns the content. Call it once, and read the stream to its end before the next file. */
  stream(): ReadableStream<Uint8Array>;
}

/** One file of a backup. */
export interface BackupFile {
  /** Relative to the folder of the backup, with `/`. */
  readonly path: string;
  readonly content: BackupContent;
}
