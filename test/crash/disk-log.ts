/** The log of a simulated disk, call by call. A power cut chooses the surviving writes from it. */
import type { DiskNode } from './disk-image.ts';

/** A change of a name: it refers to another node, or to none. */
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
  /** A new file or folder. It has no name until a `name` entry. */
  | { readonly kind: 'make'; readonly node: DiskNode }
  | { readonly kind: 'flush'; readonly file: number }
  /**
   * The changes of one rename. Within one folder they survive together. In two folders they survive separately, because
   * each folder is synced separately.
   */
  | { readonly kind: 'names'; readonly changes: readonly NameChange[] }
  | { readonly kind: 'syncFolder'; readonly folder: number }
  /** Marks the start and the acknowledgement of a step. */
  | { readonly kind: 'start' | 'ack'; readonly step: number };
