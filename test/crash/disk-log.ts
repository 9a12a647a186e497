/** The log of a simulated disk, call by call. A power cut chooses the surviving writes from it. */
import type { DiskNode } from './disk-image.ts';

/** A name that came to stand for something else, or for nothing. */
export interface NameChange {
  readonly folder: number;
  readonly name: string;
  readonly node: DiskNode | undefined;
}

export type DataEntry =
  | { readonly kind: 'write'; readonly file: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly file: number; readonly size: number };

export type LogEntry =
  | DataEntry
  /** A file or a folder that has been made. Nobody finds it before a name stands for it. */
  | { readonly kind: 'make'; readonly node: DiskNode }
  | { readonly kind: 'flush'; readonly file: number }
  /**
   * Within one folder the changes survive together; in two folders each by itself, for folders are synced one by one.
   */
  | { readonly kind: 'names'; readonly changes: readonly NameChange[] }
  | { readonly kind: 'syncFolder'; readonly folder: number }
  /** Between these two the workload waits for the step of this number. */
  | { readonly kind: 'start' | 'ack'; readonly step: number };
